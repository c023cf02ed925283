import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { ProvisioningReference } from './provisioning-reference.entity';
import type { ProvisioningRepository } from './provisioning.repository';
import type { ProvisioningService } from './provisioning.service';
import { ProvisioningViewService } from './provisioning-view.service';
import type { ServerPresence } from './sweep/server-presence.service';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { clientWith, NOW, referenceWith, secondsAgo } from './testing/step-context.fixture';

describe('ProvisioningViewService', () => {
  let ask: jest.Mock;
  let woken: unknown[];

  beforeEach(() => {
    ask = jest.fn().mockResolvedValue('seen');
    woken = [];
  });

  function info(changes: Partial<ProvisioningReference> = {}, refresh = true) {
    return viewOf(changes).info('client-1', { subject: 'someone', role: 'admin' }, refresh);
  }

  function viewOf(changes: Partial<ProvisioningReference>) {
    const reference = referenceWith({ phase: 'ready', serverId: '7', ...changes });
    const found = { client: clientWith(), reference };
    return new ProvisioningViewService(
      {} as unknown as ProvisioningService,
      {
        view: async () => found,
        manager: { query: async (_sql: string, [, id]: unknown[]) => void woken.push(id) },
      } as unknown as ProvisioningRepository,
      { find: () => new FakeCloudProvider() } as unknown as CloudProviderRegistry,
      { ask } as unknown as ServerPresence,
      { now: () => NOW },
      { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() },
    );
  }

  it.each([
    ['no server yet', { serverId: null }, true, 0],
    ['a young word', { observedAt: secondsAgo(29) }, false, 0],
    ['an old word that is enough', { observedAt: secondsAgo(3_600) }, false, 0],
    ['no word yet that is enough', { observedAt: null }, false, 0],
    ['a word of this very moment', { observedAt: secondsAgo(0.9) }, true, 0],
    ['a young word that is not wanted', { observedAt: secondsAgo(1) }, true, 1],
  ])('with %s', async (_what, changes, refresh, times) => {
    await info(changes, refresh);
    expect(ask).toHaveBeenCalledTimes(times);
  });

  it('asks once for callers that come together, and anew for those that come later', async () => {
    let answer: (presence: string) => void = () => undefined;
    ask.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const service = viewOf({});
    const caller = { subject: 'someone', role: 'admin' as const };
    const together = [service.info('client-1', caller, true), service.info('client-1', caller, true)];
    await new Promise(setImmediate);
    expect(ask).toHaveBeenCalledTimes(1);
    answer('seen');
    await Promise.all(together);
    await service.info('client-1', caller, true);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('wakes the step of a booting server, whose news the observer would not see any more', async () => {
    await info({ phase: 'ready' });
    expect(woken).toEqual([]);
    await info({ phase: 'booting' });
    expect(woken).toHaveLength(1);
  });

  it('answers what it knows while the provider does not answer', async () => {
    ask.mockRejectedValue(new CloudError('unavailable', 'away'));
    await expect(info()).resolves.toMatchObject({ reference: { serverId: '7' } });
    ask.mockRejectedValue(new Error('a fault of our own'));
    await expect(info()).rejects.toThrow('a fault of our own');
  });
});
