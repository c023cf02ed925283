import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { ServerObserver } from './server-observer';
import { WaitingServers } from './observation/waiting-servers.repository';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { WorkflowDatabase } from './testing/workflow-database';
import { elapsedMs } from './time-limit';

const START = new Date('2026-01-02T00:00:00Z');
const HOUR_MS = 3_600_000;
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('ServerObserver, while the provider cannot be asked', () => {
  let database: WorkflowDatabase;
  let provider: FakeCloudProvider;
  let observer: ServerObserver;
  let now: Date;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    provider = new FakeCloudProvider();
    now = START;
    const { dataSource, events, options } = database;
    const registry = new CloudProviderRegistry([provider]);
    observer = new ServerObserver(
      new WaitingServers(dataSource),
      events,
      registry,
      options,
      { now: () => now },
      silent,
    );
  });
  afterEach(() => database.dispose());

  const after = (ms: number) => new Date(START.getTime() + ms);
  const booting = (serverId: string) =>
    database.insert({ phase: 'booting', serverId, phaseSince: START, attemptSince: START });

  it('stops the clocks of what boots, says why once, and lets them go on', async () => {
    const first = await booting('1');
    const second = await booting('2');
    const starting = await database.insert({ phase: 'starting', serverId: '3' });
    now = after(5_000);
    provider.failNext(
      'look',
      new CloudError('unavailable', 'The provider is away.'),
      new CloudError('rate-limited', 'The budget is low.', { retryAfterMs: 1_000 }),
    );
    await observer.look('hetzner');
    now = after(HOUR_MS);
    await observer.look('hetzner');
    for (const { id } of [first, second]) {
      const row = await database.get(id);
      expect(row).toMatchObject({
        phase: 'booting',
        pausedSince: after(5_000),
        lastError: { code: 'provider-unavailable', message: 'The provider is away.', phase: 'booting' },
      });
      expect(elapsedMs(row, now)).toBe(5_000);
      const events = await database.events.since(row.clientId, 0);
      expect(events).toMatchObject([{ type: 'error', data: { code: 'provider-unavailable' } }]);
    }
    expect((await database.get(starting.id)).pausedSince).toBeNull();

    now = after(HOUR_MS + 1_000);
    await observer.look('hetzner');
    const row = await database.get(first.id);
    expect(row).toMatchObject({ pausedSince: null, lastError: null, pausedMs: HOUR_MS - 4_000 });
    expect(elapsedMs(row, now)).toBe(5_000);
  });

  it('goes on looking', async () => {
    await booting('1');
    provider.failNext('look', new CloudError('unavailable', 'The provider is away.'));
    expect(await observer.look('hetzner')).toBeGreaterThan(0);
  });

  it('leaves the clock alone for an error that is no outage', async () => {
    const { id } = await booting('1');
    provider.failNext('look', new CloudError('auth', 'The token is wrong.'));
    await observer.look('hetzner');
    expect((await database.get(id)).pausedSince).toBeNull();
  });
});
