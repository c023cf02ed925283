import { randomUUID } from 'node:crypto';
import { WaitingAgents } from './agent-watch/waiting-agents.repository';
import { HealthRepository } from './health/health.repository';
import { Housekeeping } from './housekeeping';
import { IdempotencyKeysService } from './idempotency/idempotency-keys.service';
import { WaitingServers } from './observation/waiting-servers.repository';
import { ProvisioningReference } from './provisioning-reference.entity';
import { BootstrapKeys } from './redemption/bootstrap-keys.repository';
import { tokenHash } from './reports/callback-tokens';
import { ReportCollector } from './reports/report-collector';
import { installedResult } from './steps/installing.step';
import { advance } from './steps/step';
import { SweptRows } from './sweep/swept-rows.repository';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { reportWith } from './testing/server-report.fixture';
import { fillTables, LARGE_TABLES } from './testing/large-tables';
import { QueryPlans } from './testing/query-plans';
import { ownerOf } from './testing/step-context.fixture';
import { WorkflowDatabase } from './testing/workflow-database';

const COUNT = 10_000;
const DAY_MS = 86_400_000;
const now = new Date();

/**
 * What is asked often must not read a large table as a whole. The sweep's lists are not among it: it compares all servers
 * of a provider with all rows, once in minutes.
 */
describe('plans of what is asked often, among 10,000 servers', () => {
  let database: WorkflowDatabase;
  let plans: QueryPlans;
  let ready: ProvisioningReference;
  let booting: ProvisioningReference;
  let installing: ProvisioningReference;

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
    await fillTables(database, COUNT);
    plans = new QueryPlans(database.dataSource);
    ready = await oneIn('ready');
    booting = await oneIn('booting');
    installing = await oneIn('installing');
  });
  afterAll(() => database.dispose());

  const oneIn = (phase: string): Promise<ProvisioningReference> =>
    database.dataSource.manager.findOneOrFail(ProvisioningReference, {
      where: { phase: phase as ProvisioningReference['phase'] },
      order: { serverId: 'ASC' },
    });

  async function expectIndexed(work: () => Promise<unknown>): Promise<void> {
    const { count, whole } = await plans.wholeTables(LARGE_TABLES, work);
    expect(count).toBeGreaterThan(0);
    expect(whole).toEqual([]);
  }

  it('can fail', async () => {
    const { whole } = await plans.wholeTables(LARGE_TABLES, () =>
      database.dataSource.query(`SELECT count(*) FROM clients WHERE description = $1`, ['x']),
    );
    expect(whole).toEqual(['clients: SELECT count(*) FROM clients WHERE description = $1']);
  });

  it.each(['owner-7', null])('lists and finds clients, of %p', async (owner) => {
    const { clients } = database;
    const caller = { subject: owner ?? 'admin', role: owner ? ('viewer' as const) : ('admin' as const) };
    await expectIndexed(async () => {
      const page = await clients.page(owner, 50);
      const [last] = await clients.loadListed(page.slice(-1).map(({ id }) => id));
      await clients.page(owner, 50, last);
      await clients.find(ready.clientId, caller);
      await clients.getAll(page.map(({ id }) => id));
      await clients.isNameTaken('1', 'owner-7');
    });
  });

  it('answers info and events', async () => {
    const { provisionings, events } = database;
    await expectIndexed(async () => {
      await provisionings.findByClient(ready.clientId);
      await provisionings.isBuried(ready.clientId, { subject: 'owner-7', role: 'viewer' }, now);
      await provisionings.isBuried(ready.clientId, { subject: 'admin', role: 'admin' }, now);
      await events.since(ready.clientId, 2);
      await events.errorsOfAttempt(database.dataSource.manager, ready, 'x');
      await events.lastSeq(ready.id, database.dataSource.manager);
    });
  });

  it('looks keys of requests up', async () => {
    const { dataSource, secretBox, options } = database;
    const keys = new IdempotencyKeysService(dataSource, secretBox, options);
    const caller = { subject: 'someone', role: 'operator' as const };
    await expectIndexed(() => keys.clientOf({ key: 'unknown', body: {} }, caller));
  });

  it('takes leases, and commits steps', async () => {
    const { provisionings, stepCommit } = database;
    const leaseOwner = randomUUID();
    await expectIndexed(async () => {
      await provisionings.acquireLease(installing.id, leaseOwner);
      await provisionings.renewLease(installing.id, leaseOwner);
      const reference = await database.get(installing.id);
      expect(await stepCommit.commit({ reference, leaseOwner }, advance('starting'), now)).toBe(true);
      await provisionings.releaseLease(installing.id, leaseOwner);
      await provisionings.nudge(installing.id, database.dataSource.manager);
    });
  });

  it('looks at the servers that boot', async () => {
    const rows = new WaitingServers(database.dataSource, database.crowd);
    const server = new FakeCloudProvider().add(booting.serverId ?? '', ownerOf(1), { status: 'running' });
    await expectIndexed(async () => {
      expect((await rows.find('hetzner')).length).toBe(COUNT / 100);
      await rows.saveNews([{ id: booting.id, server }], now);
      await rows.touch([booting.id], now);
      await rows.resume([booting.id], now);
    });
  });

  it('watches what is being installed', async () => {
    const rows = new WaitingAgents(database.dataSource, database.events, database.crowd);
    await database.dataSource.query(`UPDATE provisioning_references SET health_due_at = NULL WHERE id = $1`, [
      installing.id,
    ]);
    await expectIndexed(async () => {
      expect((await rows.count({ installing: 0, starting: 0 }, now)).count).toBeGreaterThan(0);
      const claimed = await rows.claim(25);
      expect(claimed.map(({ row }) => row.id)).toContain(installing.id);
      const look = { nextMs: 750, isNews: true, report: reportWith(), silence: null };
      await rows.settle(
        claimed.map((agent, n) => ({ ...look, agent, result: n === 0 ? installedResult() : null })),
        now,
      );
    });
  });

  it('takes what servers report, and gives them their secret files', async () => {
    const { dataSource, logger } = database;
    const collector = new ReportCollector(dataSource, { now: () => now }, logger);
    const set = { callbackTokenHash: tokenHash('token'), bootstrapTokenHash: 'hash', report: null };
    await dataSource.manager.update(ProvisioningReference, { id: booting.id }, set);
    await expectIndexed(async () => {
      expect(await collector.save({ id: booting.id, token: 'token', report: reportWith() })).toBe('saved');
      const seen = await database.provisionings.findWithClient(booting.id);
      const binding = { key: 'k', sentAt: now, event: { type: 'note' as const, message: 'x' }, at: now };
      expect(seen && (await new BootstrapKeys(dataSource).bind(seen.reference, binding))).toBe(seen !== null);
    });
  });

  it('looks at what is ready', async () => {
    const rows = new HealthRepository(database.dataSource);
    const { manager } = database.dataSource;
    await expectIndexed(async () => {
      await rows.claim(100, 300_000);
      await rows.nextDueMs();
      await rows.lock([ready.id], manager);
      const unchanged = { health: 'healthy' as const, since: now, failingSince: null };
      await rows.save([{ clientId: ready.clientId, ...unchanged, checkedAt: now }], manager);
      await rows.postpone([ready.id], 1_000);
      await rows.giveBack([ready.id]);
    });
  });

  it('wakes what was forgotten, and cleans up', async () => {
    const housekeeping = new Housekeeping(database.dataSource, database.options);
    await housekeeping.wakeForgotten();
    await database.dataSource.query('ANALYZE');
    await expectIndexed(async () => {
      await housekeeping.heartbeat('me');
      await housekeeping.deadWorkers();
      await housekeeping.wakeForgotten();
      await housekeeping.cleanUp();
    });
  });

  it('asks for the row and the tombstone of one server', async () => {
    const swept = new SweptRows(database.dataSource);
    const key = { providerType: 'hetzner' as const, serverId: ready.serverId ?? '' };
    await expectIndexed(async () => {
      const found = await swept.rowOf({ ...key, provisioningId: randomUUID() }, database.dataSource.manager);
      expect(found?.id).toBe(ready.id);
      expect(await swept.rowOf({ ...key, provisioningId: 'no-id' }, database.dataSource.manager)).toEqual(found);
      expect(await swept.lockTombstone(randomUUID(), database.dataSource.manager)).toBe(false);
      await swept.noteLateServer(randomUUID(), new Date(now.getTime() - DAY_MS));
      await swept.touchSeen([{ id: ready.id, serverId: key.serverId }], now);
    });
  });
});
