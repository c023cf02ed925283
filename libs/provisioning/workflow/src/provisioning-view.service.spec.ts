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
    const reference = referenceWith({ phase: 'ready', serverId: '7', ...changes });
    const found = { client: clientWith(), reference };
    const service = new ProvisioningViewService(
      { find: async () => found } as unknown as ProvisioningService,
      {
        manager: { query: async (_sql: string, [, id]: unknown[]) => void woken.push(id) },
      } as unknown as ProvisioningRepository,
      { find: () => new FakeCloudProvider() } as unknown as CloudProviderRegistry,
      { ask } as unknown as ServerPresence,
      { now: () => NOW },
      { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() },
    );
    return service.info('client-1', { subject: 'someone', role: 'viewer' }, refresh);
  }

  it.each([
    ['no server yet', { serverId: null }, true, 0],
    ['a young word', { observedAt: secondsAgo(29) }, false, 0],
    ['an old word', { observedAt: secondsAgo(30) }, false, 1],
    ['a young word that is not wanted', { observedAt: secondsAgo(1) }, true, 1],
  ])('with %s', async (_what, changes, refresh, times) => {
    await info(changes, refresh);
    expect(ask).toHaveBeenCalledTimes(times);
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
