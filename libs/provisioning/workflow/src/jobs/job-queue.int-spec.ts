import { WorkflowDatabase } from '../testing/workflow-database';
import {
  awaitedStepJob,
  enqueueAgentWatch,
  enqueueHealthLooks,
  enqueueJobs,
  enqueueObservation,
  enqueueStep,
  enqueueSteps,
  ensureStep,
} from './job-queue';

describe('the queue of jobs', () => {
  let database: WorkflowDatabase;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
  });
  afterEach(() => database.dispose());

  const column = async (name: 'key' | 'queue_name', order: string): Promise<string[]> => {
    const rows: Record<string, string>[] = await database.dataSource.query(
      `SELECT ${name} FROM graphile_worker.jobs WHERE run_at <= now() ORDER BY ${order}`,
    );
    return rows.map((row) => row[name] ?? '');
  };

  it('has looks before what a server waits for, and that before orders, whichever came first', async () => {
    const { manager } = database.dataSource;
    await enqueueStep(manager, 'order');
    await enqueueHealthLooks(manager, 0);
    await enqueueJobs(manager, [awaitedStepJob('server', 0)]);
    await enqueueObservation(manager, 'hetzner', 0);
    await enqueueAgentWatch(manager);
    const [a, b, third, ...rest] = await column('key', 'priority, run_at, id');
    expect([a, b].sort()).toEqual(['observe-servers:hetzner', 'watch-waiting-agents']);
    expect([third, ...rest]).toEqual(['server', 'order', 'look-at-agents']);
  });

  it('lets one observation of a provider run at a time', async () => {
    await enqueueObservation(database.dataSource.manager, 'hetzner', 0);
    expect(await column('queue_name', 'id')).toEqual(['observe-servers:hetzner']);
  });

  it('makes no queues for steps: each fetch would lock all of them', async () => {
    await enqueueStep(database.dataSource.manager, 'order');
    await enqueueJobs(database.dataSource.manager, [awaitedStepJob('server', 0)]);
    expect(await column('queue_name', 'id')).toEqual(['', '']);
  });

  it('wakes many, each once', async () => {
    const ids = Array.from({ length: 30 }, (_, n) => `step-${n}`);
    await enqueueSteps(database.dataSource, [...ids, ...ids]);
    expect((await column('key', 'id')).sort()).toEqual(ids.sort());
    await enqueueSteps(database.dataSource, []);
  });

  it('makes sure of a step without touching one that waits, and makes one where none does', async () => {
    const { manager } = database.dataSource;
    const waiting = () =>
      database.dataSource.query(
        `SELECT key, priority, run_at > now() AS later FROM graphile_worker.jobs WHERE attempts < max_attempts ORDER BY key`,
      );
    await enqueueJobs(manager, [awaitedStepJob('a-server', 60_000)]);
    await ensureStep(manager, 'a-server');
    await ensureStep(manager, 'another', { isAwaited: true });
    await ensureStep(manager, 'order', { delayMs: 60_000 });
    expect(await waiting()).toEqual([
      { key: 'a-server', priority: -10, later: true },
      { key: 'another', priority: -10, later: false },
      { key: 'order', priority: 0, later: true },
    ]);
    // One that runs may have looked already at what is waited for.
    await database.dataSource.query(
      `UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'w', attempts = 1 WHERE key = 'another'`,
    );
    await ensureStep(manager, 'another');
    expect(await waiting()).toContainEqual({ key: 'another', priority: 0, later: false });
  });
});
