import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { ServerObserver } from './server-observer';
import { WaitingServers } from './observation/waiting-servers.repository';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { reportWith } from './testing/server-report.fixture';
import { ownerOf } from './testing/step-context.fixture';
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
    const { dataSource, crowd, events, options } = database;
    const registry = new CloudProviderRegistry([provider]);
    observer = new ServerObserver(
      new WaitingServers(dataSource, crowd),
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

describe('ServerObserver', () => {
  let database: WorkflowDatabase;
  let provider: FakeCloudProvider;
  let now: Date;
  let observer: ServerObserver;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    provider = new FakeCloudProvider();
    now = START;
    const { dataSource, crowd, events, options } = database;
    const rows = new WaitingServers(dataSource, crowd);
    observer = new ServerObserver(
      ...([rows, events, new CloudProviderRegistry([provider]), options, { now: () => now }, silent] as const),
    );
  });
  afterEach(() => database.dispose());

  async function boot(id: string, changes: Partial<ProvisioningReference> = {}): Promise<ProvisioningReference> {
    provider.add(id, ownerOf(1));
    return database.insert({
      ...{ phase: 'booting', serverId: id, phaseSince: now, observedAt: now, serverStatus: 'creating' },
      ...{ providerMetadata: { providerStatus: 'initializing' }, ...changes },
    });
  }
  const begins = (id: string) =>
    provider.add(id, ownerOf(1), { status: 'running', providerStatus: 'running', publicIpv4: '203.0.113.7' });
  const woken = async () => (await database.jobs()).map(({ key }) => key);
  /** Lets time pass until a look was made, or for so long. */
  async function pass(ms: number): Promise<void> {
    for (const end = now.getTime() + ms; now.getTime() < end;) {
      const waitMs = (await observer.look('hetzner')) ?? ms;
      now = new Date(Math.min(end, now.getTime() + waitMs));
    }
  }

  it('asks nothing while nobody waits, however many are ready', async () => {
    for (let n = 0; n < 20; n++) await boot(`ready-${n}`, { phase: 'ready' });
    expect(await observer.look('hetzner')).toBeNull();
    expect(provider.calls).toEqual([]);
  });

  it('asks only for those that wait, and begins the next phase of those alone that run', async () => {
    await boot('ready', { phase: 'ready' });
    const [one, two, three] = [await boot('1'), await boot('2'), await boot('3')];
    begins('2');
    await observer.look('hetzner');
    expect(provider.looks).toEqual([{ ids: expect.arrayContaining(['1', '2', '3']), runningOnly: true }]);
    expect(await woken()).toEqual(['watch-waiting-agents']);
    const row = await database.get(two.id);
    expect(row).toMatchObject({ serverStatus: 'running', publicIp: '203.0.113.7', phase: 'installing' });
    expect((await database.clients.get(two.clientId))?.endpoint).toBe('https://203.0.113.7:3000');
    for (const { id } of [one, three])
      expect(await database.get(id)).toMatchObject({ serverStatus: 'creating', nudges: 0 });
  });

  it.each([
    ['is not running yet', {}, { status: 'stopped' as const, providerStatus: 'off' }],
    ['has no address', {}, { publicIpv4: null }],
    ['somebody works on', { leaseOwner: 'other', leaseUntil: new Date(Date.now() + 60_000) }, {}],
  ])('wakes the step of one that changed, but %s', async (_what, changes, seen) => {
    const row = await boot('1', changes);
    provider.add('1', ownerOf(1), {
      ...{ status: 'running', providerStatus: 'running', publicIpv4: '203.0.113.7', publicIpv6: null, ...seen },
    });
    // One that does not run is seen by a thorough look alone.
    now = new Date(now.getTime() + 50_000);
    await observer.look('hetzner');
    expect(await woken()).toEqual([row.id]);
    expect(await database.get(row.id)).toMatchObject({ phase: 'booting', nudges: 1, version: row.version });
  });

  it('does not look again at what its step knows by now', async () => {
    await boot('1');
    begins('1');
    await observer.look('hetzner');
    now = new Date(now.getTime() + 60_000);
    expect(await observer.look('hetzner')).toBeNull();
    expect(provider.looks).toHaveLength(1);
  });

  it('learns how long boots last, and looks at the next ones when they are about to end', async () => {
    await boot('1');
    await pass(30_000);
    begins('1');
    await pass(5_000);
    const before = provider.looks.length;
    await boot('2');
    await pass(14_000);
    expect(provider.looks.length).toBe(before);
    await pass(10_000);
    expect(provider.looks.length).toBeGreaterThan(before);
  });

  it('looks thoroughly at what it has not seen for long, though it does not run', async () => {
    const row = await boot('1');
    await pass(50_000);
    expect(provider.looks.some(({ runningOnly }) => !runningOnly)).toBe(true);
    expect((await database.get(row.id)).observedAt?.getTime()).toBeGreaterThan(START.getTime());
    expect(await woken()).toEqual([]);
  });

  it('looks at once at a server that reports by itself', async () => {
    await boot('1');
    await pass(30_000);
    begins('1');
    await pass(5_000);
    const before = provider.looks.length;
    await boot('2', { report: reportWith() });
    await observer.look('hetzner');
    expect(provider.looks.slice(before)).toEqual([{ ids: ['2'], runningOnly: true }]);
  });

  it('tells the provider by what its list can be narrowed', async () => {
    const asked = jest.spyOn(provider, 'look');
    await boot('1', { providerMetadata: { providerStatus: 'initializing', lookGroup: 'minutes-1' } });
    await observer.look('hetzner');
    expect(asked.mock.calls[0]?.[0]).toMatchObject([{ serverId: '1', lookGroup: 'minutes-1' }]);
  });
});
