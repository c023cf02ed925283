import { Housekeeping } from './housekeeping';
import { IdempotencyKeysService } from './idempotency/idempotency-keys.service';
import { enqueueStep } from './jobs/job-queue';
import { WorkflowDatabase } from './testing/workflow-database';

describe('Housekeeping', () => {
  let database: WorkflowDatabase;
  let housekeeping: Housekeeping;
  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    housekeeping = new Housekeeping(database.dataSource, database.options);
  });
  afterEach(() => database.dispose());

  const lock = (worker: string, seconds: number) =>
    database.dataSource.query(
      `UPDATE graphile_worker._private_jobs SET locked_by = $1, locked_at = now() - $2 * interval '1 second'`,
      [worker, seconds],
    );

  it('wakes what is unfinished and has no job, and nothing else', async () => {
    const unfinished = await database.insert({ phase: 'installing' });
    const unwanted = await database.insert({ phase: 'ready', intent: 'absent' });
    const booting = await database.insert({ phase: 'booting', serverId: '1' });
    await database.insert({ phase: 'ready' });
    await database.insert({ phase: 'failed', intent: 'absent' });
    await enqueueStep(database.dataSource.manager, booting.id, 60_000);
    expect(await housekeeping.wakeForgotten()).toBe(2);
    expect((await database.jobs()).map(({ key }) => key).sort()).toEqual(
      [
        booting.id,
        unfinished.id,
        unwanted.id,
        'observe-servers:hetzner',
        'watch-waiting-agents',
        'look-at-agents',
      ].sort(),
    );
    expect(await housekeeping.wakeForgotten()).toBe(0);
  });

  it('wakes a row whose job used up its attempts', async () => {
    const { id } = await database.insert();
    await enqueueStep(database.dataSource.manager, id);
    await database.dataSource.query('UPDATE graphile_worker._private_jobs SET attempts = max_attempts');
    expect(await housekeeping.wakeForgotten()).toBe(1);
    const [job]: { attempts: number }[] = await database.dataSource.query(
      'SELECT attempts FROM graphile_worker.jobs WHERE attempts < max_attempts',
    );
    expect(job?.attempts).toBe(0);
  });

  it('wakes a row whose job failed and would be long in coming, but none that waits for its time', async () => {
    const failed = await database.insert({ phase: 'booting', serverId: '1' });
    await enqueueStep(database.dataSource.manager, failed.id);
    await housekeeping.wakeForgotten();
    await database.dataSource.query(
      `UPDATE graphile_worker._private_jobs SET attempts = 5, run_at = now() + interval '2 minutes'`,
    );
    const waiting = await database.insert({ phase: 'installing' });
    await enqueueStep(database.dataSource.manager, waiting.id, 3_600_000);
    expect(await housekeeping.wakeForgotten()).toBe(1);
    const due: { key: string }[] = await database.dataSource.query(
      'SELECT key FROM graphile_worker.jobs WHERE attempts = 0 AND run_at <= now()',
    );
    expect(due.map(({ key }) => key).sort()).toEqual(
      [failed.id, 'observe-servers:hetzner', 'watch-waiting-agents'].sort(),
    );
  });

  it('frees the jobs of workers that are gone, and forgets them', async () => {
    const { id } = await database.insert();
    await enqueueStep(database.dataSource.manager, id);
    await housekeeping.heartbeat('dead');
    await lock('dead', 1);
    await housekeeping.free(['dead']);
    const rows = await database.dataSource.query(`SELECT locked_by FROM graphile_worker.jobs WHERE key = $1`, [id]);
    expect(rows).toEqual([{ locked_by: null }]);
    expect(await database.dataSource.query('SELECT 1 FROM controller_heartbeats')).toEqual([]);
  });

  it('knows controllers that are gone by their heartbeats, or by locks without one', async () => {
    await housekeeping.heartbeat('alive');
    await housekeeping.heartbeat('dead');
    await database.dataSource.query(
      `UPDATE controller_heartbeats SET seen_at = now() - interval '1 minute' WHERE worker_id = 'dead'`,
    );
    expect(await housekeeping.deadWorkers()).toEqual(['dead']);
    await housekeeping.forget('dead');
    const { id } = await database.insert();
    await enqueueStep(database.dataSource.manager, id);
    await lock('never-seen', 5);
    expect(await housekeeping.deadWorkers()).toEqual([]);
    await lock('never-seen', 60);
    expect(await housekeeping.deadWorkers()).toEqual(['never-seen']);
    await lock('alive', 60);
    expect(await housekeeping.deadWorkers()).toEqual([]);
  });

  it('wipes the secrets of old failures only', async () => {
    const old = await database.insert({ phase: 'failed', phaseSince: new Date(Date.now() - 2 * 86_400_000) });
    const young = await database.insert({ phase: 'failed' });
    const waiting = await database.insert({ phase: 'installing', phaseSince: new Date(Date.now() - 2 * 86_400_000) });
    await housekeeping.cleanUp();
    expect((await database.get(old.id)).sealedSecrets).toBeNull();
    expect((await database.get(young.id)).sealedSecrets).not.toBeNull();
    expect((await database.get(waiting.id)).sealedSecrets).not.toBeNull();
  });

  it('ends idempotency keys when their time is over', async () => {
    const keys = new IdempotencyKeysService(database.dataSource, database.secretBox, database.options);
    const { clientId } = await database.insert();
    for (const key of ['old', 'young']) {
      await keys.claim(
        { key, body: {} },
        { subject: 'someone', role: 'operator' },
        clientId,
        database.dataSource.manager,
      );
    }
    await database.dataSource.query(
      `UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = 'old'`,
    );
    await housekeeping.cleanUp();
    expect(await database.dataSource.query('SELECT key FROM idempotency_keys')).toEqual([{ key: 'young' }]);
  });

  it('ends budgets that nobody has used for a week', async () => {
    for (const [project, days] of Object.entries({ replaced: 8, used: 6 })) {
      await database.dataSource.query(
        `INSERT INTO provider_budgets
           (provider_type, project, hour_limit, hour_left, minute_left, key_lists_left, refilled_at)
         VALUES ('hetzner', $1, 3600, 3600, 1, 1, now() - $2 * interval '1 day')`,
        [project, days],
      );
    }
    await housekeeping.cleanUp();
    expect(await database.dataSource.query('SELECT project FROM provider_budgets')).toEqual([{ project: 'used' }]);
  });

  it('ends logs and tombstones when their time is over', async () => {
    const { id, clientId } = await database.insert();
    const row = await database.get(id);
    await database.dataSource.transaction((manager) =>
      database.events.append(manager, row, [{ type: 'note', message: 'kept' }], new Date()),
    );
    await housekeeping.cleanUp();
    expect(await database.events.since(clientId, 0)).toHaveLength(1);
    await database.dataSource.query(`UPDATE provisioning_events SET expires_at = now() - interval '1 second'`);
    await housekeeping.cleanUp();
    expect(await database.events.since(clientId, 0)).toEqual([]);
  });

  it('makes a job of a sweep for each provider that has none, and leaves the others', async () => {
    await housekeeping.wakeSweeps(['hetzner', 'digital-ocean']);
    await housekeeping.wakeSweeps(['hetzner', 'digital-ocean']);
    const keys = (await database.jobs()).map(({ key }) => key);
    expect(keys.sort()).toEqual(['sweep-servers:digital-ocean', 'sweep-servers:hetzner']);
    await database.dataSource.query('UPDATE graphile_worker._private_jobs SET attempts = max_attempts');
    await housekeeping.wakeSweeps(['hetzner']);
    const [open]: { count: number }[] = await database.dataSource.query(
      'SELECT count(*)::integer AS count FROM graphile_worker.jobs WHERE attempts < max_attempts',
    );
    expect(open?.count).toBe(1);
  });

  it.each([
    ['its time is not over', '1 hour', null, '-1 minute', false],
    ['no sweep was ever full', '-1 hour', null, null, false],
    ['the last full sweep began before its time was over', '-1 hour', null, '-2 hours', false],
    ['a full sweep began after it', '-1 hour', null, '-30 minutes', true],
    ['that sweep still saw a server of it', '-1 hour', '-30 minutes', '-31 minutes', false],
    ['the next one saw none', '-1 hour', '-30 minutes', '-20 minutes', true],
    ['nothing was swept for a week', '-8 days', null, null, true],
    ['a server of it was still seen this week', '-8 days', '-1 day', '-25 hours', false],
  ])('ends a tombstone or not: %s', async (_what, expires, seen, covered, isEnded) => {
    await database.dataSource.query(
      `INSERT INTO provisioning_tombstones
         (provisioning_id, client_id, owner, provider_type, attempt, deleted_at, expires_at, server_seen_at)
       VALUES (gen_random_uuid(), gen_random_uuid(), 'someone', 'hetzner', 1, now(), now() + $1::interval, now() + $2::interval)`,
      [expires, seen],
    );
    await database.dataSource.query(
      `INSERT INTO provider_sweeps (provider_type, covered_until) VALUES ('hetzner', now() + $1::interval)`,
      [covered],
    );
    await housekeeping.cleanUp();
    const left: unknown[] = await database.dataSource.query('SELECT 1 FROM provisioning_tombstones');
    expect(left).toHaveLength(isEnded ? 0 : 1);
  });
});
