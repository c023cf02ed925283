import { setImmediate as turn } from 'node:timers/promises';
import type { AgentLook } from '../agent/agent-health';
import type { AgentTarget } from '../agent/agent-target';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { fail } from '../steps/step';
import { FakeAgentHealth } from '../testing/fake-agent-health';
import { WorkflowDatabase } from '../testing/workflow-database';
import { HealthKeeper } from './health-keeper';
import { HealthRepository } from './health.repository';

const healthy: AgentLook = { state: 'healthy' };
const unreachable: AgentLook = { state: 'unreachable', reason: '/api/health answers 502' };
const refused: AgentLook = { state: 'credentials-refused', reason: '/api/config answers 401 to our credentials' };

/** An agent that answers when the test says so. */
class SlowAgentHealth extends FakeAgentHealth {
  #answer: () => void = () => undefined;
  readonly #answered = new Promise<void>((resolve) => (this.#answer = resolve));

  release(): void {
    this.#answer();
  }

  override async recheck(target: AgentTarget): Promise<AgentLook> {
    const seen = await super.recheck(target);
    await this.#answered;
    return seen;
  }
}

describe('HealthKeeper', () => {
  let database: WorkflowDatabase;
  let health: FakeAgentHealth;
  let now: Date;
  const logger = { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() };
  const never = new AbortController().signal;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    health = new FakeAgentHealth();
    now = new Date('2026-11-25T12:00:00Z');
    jest.resetAllMocks();
  });
  afterEach(() => database.dispose());

  const keeper = (agent = health) =>
    new HealthKeeper(
      new HealthRepository(database.dataSource),
      database.clients,
      agent,
      database.events,
      database.options,
      { now: () => now },
      logger,
    );

  async function insert(changes: Partial<ProvisioningReference> = {}): Promise<ProvisioningReference> {
    const row = await database.insert({ phase: 'ready', ...changes });
    await database.clients.update(row.clientId, {
      endpoint: `https://${row.clientId}:3000`,
      tlsServerName: 'name',
      tlsSpkiSha256: 'pin',
    });
    return row;
  }

  /** Everything is due, and a run looks at it a minute after the last one. */
  async function look(seen: AgentLook): Promise<void> {
    health.seen = seen;
    now = new Date(now.getTime() + 60_000);
    await database.dataSource.query(`UPDATE provisioning_references SET health_due_at = NULL`);
    await keeper().run(never);
  }

  const client = async (row: ProvisioningReference) => database.clients.get(row.clientId);
  const events = async (row: ProvisioningReference) =>
    (await database.events.since(row.clientId, 0)).map(({ type, message, data }) => ({ type, message, data }));

  /** How long until the next look, in seconds. */
  async function dueIn({ id }: ProvisioningReference): Promise<number> {
    const [row]: { seconds: number }[] = await database.dataSource.query(
      `SELECT extract(epoch FROM health_due_at - now())::float8 AS seconds FROM provisioning_references WHERE id = $1`,
      [id],
    );
    return row?.seconds ?? NaN;
  }

  const count = async (sql: string) =>
    Number(((await database.dataSource.query(sql)) as { count: string }[])[0]?.count);

  it('looks at ready agents that are wanted and not lost, and at no others', async () => {
    const ready = await insert();
    const due = await insert({ healthDueAt: new Date(Date.now() - 1_000) });
    const others = [
      await insert({ healthDueAt: new Date(Date.now() + 60_000) }),
      await insert({ phase: 'starting' }),
      await insert({ phase: 'failed' }),
      await insert({ phase: 'deleting', intent: 'absent' }),
      await insert({ intent: 'absent' }),
      await insert({ serverStatus: 'lost' }),
    ];
    await keeper().run(never);
    expect(health.targets.map(({ endpoint }) => endpoint).sort()).toEqual(
      [ready, due].map(({ clientId }) => `https://${clientId}:3000`).sort(),
    );
    expect(await client(ready)).toMatchObject({ health: 'healthy', healthSince: now, healthCheckedAt: now });
    for (const row of others) expect((await client(row))?.health).toBeNull();
    expect((await database.jobs()).map(({ key }) => key)).toEqual(['look-at-agents']);
  });

  it('two keepers at the same moment look once at each', async () => {
    const rows = await Promise.all(Array.from({ length: 30 }, () => insert()));
    await Promise.all([keeper(), keeper(), keeper()].map((each) => each.run(never)));
    const endpoints = health.targets.map(({ endpoint }) => endpoint);
    expect(new Set(endpoints).size).toBe(rows.length);
    expect(endpoints).toHaveLength(rows.length);
    expect(await count(`SELECT count(*) FROM clients WHERE health = 'healthy'`)).toBe(rows.length);
    expect(await count(`SELECT count(*) FROM provisioning_references WHERE health_due_at > now()`)).toBe(rows.length);
  });

  it('one that does not answer holds nobody up, and help is asked for while more are due than are claimed at once', async () => {
    await Promise.all(Array.from({ length: 230 }, () => insert()));
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    // The first that is looked at.
    jest.spyOn(health, 'recheck').mockImplementationOnce(async () => {
      await answered;
      return unreachable;
    });
    const run = keeper().run(never);
    // Those of the last claim are saved at the end.
    while ((await count(`SELECT count(*) FROM clients WHERE health = 'healthy'`)) < 150) await turn();
    expect((await database.jobs()).map(({ key }) => key)).toEqual(['look-at-agents']);
    answer();
    await run;
    expect(await count(`SELECT count(*) FROM clients WHERE health = 'healthy'`)).toBe(229);
    expect(await count(`SELECT count(*) FROM clients WHERE health_failing_since IS NOT NULL`)).toBe(1);
  });

  it('one on duty does nothing when it is called for help by itself', async () => {
    await insert();
    const slow = new SlowAgentHealth();
    const one = keeper(slow);
    const run = one.run(never);
    while (slow.targets.length === 0) await turn();
    const other = await insert();
    await one.run(never);
    expect(slow.targets).toHaveLength(1);
    slow.release();
    await run;
    expect((await client(other))?.health).toBeNull();
  });

  it('tells of a change once: unreachable after two looks, refused after one, healthy after one', async () => {
    const row = await insert();
    await look(healthy);
    expect(await events(row)).toEqual([]);
    await look(unreachable);
    const since = now;
    expect(await client(row)).toMatchObject({ health: 'healthy', healthCheckedAt: now });
    expect(await dueIn(row)).toBeLessThan(20);
    await look(unreachable);
    expect(await dueIn(row)).toBeGreaterThan(50);
    await look(unreachable);
    expect(await client(row)).toMatchObject({ health: 'unreachable', healthSince: since, healthCheckedAt: now });
    await look(refused);
    await look(refused);
    await look(healthy);
    await look(healthy);
    expect((await client(row))?.healthFailingSince).toBeNull();
    const told = await events(row);
    expect(told.map(({ type, message }) => `${type}: ${message}`)).toEqual([
      'health: The agent-manager does not answer as it should: /api/health answers 502',
      "health: The agent-manager refuses its clients' credentials: /api/config answers 401 to our credentials",
      'health: The agent-manager is healthy again',
    ]);
    expect(told[0]?.data).toEqual({ health: 'unreachable', since: since.toISOString() });
    expect(logger.warn).toHaveBeenCalledTimes(2);
    expect(logger.info).toHaveBeenCalledTimes(1);
    expect(JSON.stringify([logger.warn.mock.calls, logger.info.mock.calls])).not.toContain('the-api-key');
  });

  it('does not touch when the client was last changed', async () => {
    const row = await insert();
    const before = (await client(row))?.updatedAt;
    await look(healthy);
    expect((await client(row))?.updatedAt).toEqual(before);
  });

  it('saves nothing of an agent whose deletion was asked for during the look', async () => {
    const row = await insert();
    const kept = await insert();
    const slow = new SlowAgentHealth();
    slow.seen = refused;
    const run = keeper(slow).run(never);
    while (slow.targets.length < 2) await turn();
    await database.dataSource.transaction(async (manager) => {
      const locked = await database.provisionings.lock(row.id, manager);
      await manager.query(`UPDATE provisioning_references SET intent = 'absent' WHERE id = $1`, [row.id]);
      await database.stepCommit.begin(manager, { ...locked!, intent: 'absent' }, 'deleting', [], now);
    });
    slow.release();
    await run;
    expect(await client(row)).toMatchObject({ health: null, healthSince: null, healthCheckedAt: null });
    expect((await events(row)).map(({ type }) => type)).toEqual(['phase']);
    expect((await database.get(row.id)).phase).toBe('deleting');
    expect((await client(kept))?.health).toBe('credentials-refused');
  });

  it('brings nothing back that was deleted during the look', async () => {
    const row = await insert();
    const slow = new SlowAgentHealth();
    const run = keeper(slow).run(never);
    while (slow.targets.length < 1) await turn();
    await database.clients.delete(row.clientId);
    slow.release();
    await run;
    expect(await client(row)).toBeNull();
    expect(await count('SELECT count(*) FROM provisioning_references')).toBe(0);
    expect(await database.jobs()).toEqual([]);
  });

  it('says nothing about what its own end cut short, and leaves it to another', async () => {
    const row = await insert();
    const stop = new AbortController();
    const slow = new SlowAgentHealth();
    slow.seen = refused;
    const run = keeper(slow).run(stop.signal);
    while (slow.targets.length < 1) await turn();
    stop.abort();
    slow.release();
    await run;
    expect((await client(row))?.health).toBeNull();
    expect((await database.get(row.id)).healthDueAt).toBeNull();
    await keeper().run(never);
    expect((await client(row))?.health).toBe('healthy');
  });

  it('one agent whose credentials cannot be read does not stop the others', async () => {
    const broken = await insert();
    const good = await insert();
    await database.clients.update(broken.clientId, { sealedCredentials: 'v1.unknown.x' });
    await keeper().run(never);
    expect((await client(broken))?.health).toBeNull();
    expect((await client(good))?.health).toBe('healthy');
    expect(await dueIn(broken)).toBeGreaterThan(50);
    expect(logger.error).toHaveBeenCalledTimes(1);
  });

  it('ready is healthy from the start; what failed to be deleted has no health', async () => {
    const { id } = await database.insert({ phase: 'starting' });
    const commit = async (result: Parameters<typeof database.stepCommit.commit>[1]) => {
      await database.provisionings.acquireLease(id, 'runner');
      const reference = await database.get(id);
      expect(await database.stepCommit.commit({ reference, leaseOwner: 'runner' }, result, now)).toBe(true);
      return database.get(id);
    };
    const ready = await commit({ kind: 'advance', phase: 'ready' });
    expect(await client(ready)).toMatchObject({ health: 'healthy', healthSince: now, healthCheckedAt: now });
    expect(ready.healthDueAt).toEqual(new Date(now.getTime() + 60_000));
    await database.dataSource.query(`UPDATE provisioning_references SET intent = 'absent'`);
    await commit({ kind: 'advance', phase: 'deleting' });
    const failed = await commit(fail({ code: 'wrong-project', message: 'm', action: 'a' }));
    expect(failed.phase).toBe('failed');
    expect(await client(failed)).toMatchObject({ health: null, healthSince: null, healthCheckedAt: null });
  });
});
