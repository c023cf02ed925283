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
      [booting.id, unfinished.id, unwanted.id, 'observe-servers:hetzner', 'look-at-agents'].sort(),
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
});
