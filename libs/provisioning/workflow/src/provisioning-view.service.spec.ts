import { NO_HEALTH, type Client } from '@agent-controller/clients';
import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { ProvisioningRepository } from './provisioning.repository';
import type { ProvisioningService } from './provisioning.service';
import { ProvisioningViewService } from './provisioning-view.service';
import { SentinelService } from './sentinel.service';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { clientWith, NOW, referenceWith, secondsAgo, SENTINEL } from './testing/step-context.fixture';

describe('ProvisioningViewService', () => {
  let provider: FakeCloudProvider;
  let saved: object[];

  beforeEach(() => {
    provider = new FakeCloudProvider();
    saved = [];
  });

  function info(missingSince: Date | null = null, client: Partial<Client> = {}) {
    const reference = referenceWith({ phase: 'ready', serverId: '7', sentinelId: SENTINEL, missingSince });
    const found = { client: clientWith(client), reference };
    const service = new ProvisioningViewService(
      { find: async () => found } as unknown as ProvisioningService,
      {
        manager: { update: async (_entity: unknown, _where: object, patch: object) => void saved.push(patch) },
      } as unknown as ProvisioningRepository,
      { find: () => provider } as unknown as CloudProviderRegistry,
      new SentinelService(),
      { now: () => NOW },
      { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() },
    );
    return service.info('client-1', { subject: 'someone', role: 'viewer' }, true);
  }

  it('says "lost" only when "not found" was answered twice, five minutes apart', async () => {
    provider.keys.add(SENTINEL);
    await info();
    await info(secondsAgo(299));
    await info(secondsAgo(300));
    expect(saved).toMatchObject([{ serverStatus: null }, { serverStatus: null }, { serverStatus: 'lost' }]);
  });

  it('knows nothing of the health of a lost server', async () => {
    provider.keys.add(SENTINEL);
    await info(secondsAgo(299), { health: 'healthy' });
    await info(secondsAgo(300), { health: 'healthy' });
    expect(saved).toMatchObject([{ serverStatus: null }, { serverStatus: 'lost' }, NO_HEALTH]);
  });

  it('believes no "not found" without the key', async () => {
    await info(secondsAgo(3_600));
    expect(saved).toEqual([]);
  });

  it.each(['get', 'hasSentinel'] as const)(
    'answers what it knows while the provider does not answer %s',
    async (call) => {
      provider.keys.add(SENTINEL);
      provider.failNext(call, new CloudError('unavailable', 'away'));
      await expect(info(secondsAgo(3_600))).resolves.toMatchObject({ reference: { serverId: '7' } });
      expect(saved).toEqual([]);
    },
  );
});
