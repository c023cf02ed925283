import { CloudError } from '@agent-controller/cloud-port';
import { creatingStep, FakeFirewalls } from '../testing/creating-step';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { contextWith, SENTINEL } from '../testing/step-context.fixture';
import type { UserDataService } from '../user-data.service';
import type { CreatingServerStep } from './creating-server.step';

describe('the firewall of an order', () => {
  let provider: FakeCloudProvider;
  let firewalls: FakeFirewalls;
  let step: CreatingServerStep;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    firewalls = new FakeFirewalls();
    step = creatingStep({ render: () => '#cloud-config' } as unknown as UserDataService, firewalls);
  });

  const run = (given: object = {}) => step.run(contextWith({}, { provider, ...given }));
  const creates = () => provider.calls.filter((call) => call === 'create').length;

  it('is told which one when it says that a server may exist', async () => {
    const announced: unknown[] = [];
    const announceCreate = async (...named: unknown[]) => {
      announced.push(...named);
      return () => true;
    };
    await run({ announceCreate });
    expect(announced).toEqual([SENTINEL, 'wall']);
  });

  it('orders nothing while it is being taken away, and looks again soon', async () => {
    firewalls.answer = null;
    expect(await run()).toMatchObject({ kind: 'wait', delayMs: 3_000 });
    expect(provider.calls).toEqual(['ensureSentinel']);
  });

  it('fails where there may be no more of them, orders nothing, and says the way out', async () => {
    firewalls.error = new CloudError('quota', 'firewall limit exceeded', { providerCode: 'resource_limit_exceeded' });
    expect(await run()).toMatchObject({
      kind: 'fail',
      failure: {
        code: 'provider-quota',
        providerCode: 'resource_limit_exceeded',
        message: 'firewall limit exceeded',
        action: expect.stringMatching(/limit of firewalls.*share one.*retry, or delete/),
      },
    });
    expect(provider.calls).toEqual(['ensureSentinel']);
  });

  it('leaves other trouble with it to what handles errors, and orders nothing', async () => {
    firewalls.error = new CloudError('unavailable', 'not now');
    await expect(run()).rejects.toThrow('not now');
    expect(creates()).toBe(0);
  });

  it('sends nothing any more once it is not sure to stay', async () => {
    let isHeld = true;
    firewalls.answer = { isHeld: () => isHeld };
    await run();
    const maySend = provider.specs[0]?.maySend;
    expect(maySend?.()).toBe(true);
    isHeld = false;
    expect(maySend?.()).toBe(false);
  });

  it.each([
    ['not-found', 'firewall not found'],
    ['not-found', 'not found'],
    ['invalid', 'firewalls.0: no such firewall'],
  ] as const)('is asked for once again when it was known from before: %s, %s', async (kind, message) => {
    firewalls.answer = { isFromMemory: true };
    const refusal = () => new CloudError(kind, message);
    provider.failNext('create', refusal(), refusal());
    expect(await run()).toMatchObject({ kind: 'wait', delayMs: 0, patch: { createRequestedAt: null } });
    expect(firewalls.forgotten).toBe(1);
    await expect(run()).rejects.toThrow(message);
  });

  it('is not asked for again when something else was wrong with the order', async () => {
    firewalls.answer = { isFromMemory: true };
    provider.failNext('create', new CloudError('invalid', 'image not found'));
    await expect(run()).rejects.toThrow('image not found');
  });
});
