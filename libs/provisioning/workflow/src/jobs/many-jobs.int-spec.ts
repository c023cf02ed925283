import { createPool } from '@agent-controller/database';
import type { Pool, PoolClient } from 'pg';
import { WorkflowDatabase } from '../testing/workflow-database';
import { forgetSteps, jobSql, stepJob, STEP_TASK } from './job-queue';
import { JobWorker } from './job-worker';

const MANY = 3_000;
const FUNCTIONS = ['add_jobs', 'complete_jobs'];

/** PostgreSQL plans while few jobs wait, keeps the plans, and many come. */
describe('a job among many', () => {
  let database: WorkflowDatabase;
  let pool: Pool;
  let connection: PoolClient;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    const { directDatabaseUrl: url } = database.options;
    pool = createPool({ url, size: 1, applicationName: 'test', onError: () => undefined });
    connection = await pool.connect();
  });
  afterEach(async () => {
    connection.release();
    await pool.end();
    await database.dispose();
  });

  const add = async (id: string, delayMs = 0) => {
    const { text, values } = jobSql(stepJob(id, delayMs), 1);
    await connection.query({ name: 'add', text: `SELECT ${text}`, values });
  };
  const forget = (id: string) =>
    connection.query({ name: 'forget', text: `SELECT ${forgetSteps('SELECT $1::text AS id')}`, values: [id] });
  const addMany = () =>
    connection.query(
      `INSERT INTO graphile_worker._private_jobs (task_id, key, run_at)
       SELECT id, 'waits-' || n, now() + interval '1 day'
       FROM graphile_worker._private_tasks, generate_series(1, ${MANY}) AS n WHERE identifier = '${STEP_TASK}'`,
    );
  /** Of all jobs that a statement read one after another, in this connection's transaction. */
  const readOneByOne = async (): Promise<number> => {
    const { rows } = await connection.query<{ count: number }>(
      `SELECT seq_tup_read::integer AS count FROM pg_stat_xact_user_tables WHERE relname = '_private_jobs'`,
    );
    return rows[0]?.count ?? 0;
  };

  async function readForOne(): Promise<number> {
    for (let n = 0; n < 10; n++) {
      await add(`few-${n}`);
      await forget(`few-${n}`);
    }
    await addMany();
    await connection.query('BEGIN');
    await add('one');
    await forget('one');
    const count = await readOneByOne();
    await connection.query('COMMIT');
    return count;
  }

  it('is made and taken back without a look at the others', async () => {
    expect(await readForOne()).toBe(0);
  });

  it('would not be, without the setting of graphile-worker’s functions', async () => {
    const { rows } = await connection.query<{ name: string }>(
      `SELECT oid::regprocedure::text AS name FROM pg_proc
       WHERE pronamespace = 'graphile_worker'::regnamespace AND proname = ANY($1)`,
      [FUNCTIONS],
    );
    for (const { name } of rows) await connection.query(`ALTER FUNCTION ${name} RESET enable_seqscan`);
    expect(await readForOne()).toBeGreaterThanOrEqual(MANY);
  });

  it('is fetched and ended without a look at the others', async () => {
    const done = new Set<string>();
    const task = (payload: unknown) => void done.add((payload as { id: string }).id);
    const worker = await JobWorker.start({ [STEP_TASK]: task }, database.options, database.logger);
    const run = async (name: string) => {
      for (let n = 0; n < 30; n++) {
        await add(`${name}-${n}`);
        await until(async () => done.has(`${name}-${n}`));
      }
    };
    await run('few');
    await addMany();
    await run('one');
    await worker.end();
    // A connection tells what it did when it ends.
    await until(async () => (await told()).ended >= 60);
    expect((await told()).read).toBe(0);
  });

  const told = async (): Promise<{ ended: number; read: number }> => {
    const { rows } = await connection.query<{ ended: number; read: number }>(
      `SELECT n_tup_del::integer AS ended, seq_tup_read::integer AS read FROM pg_stat_user_tables
       WHERE relname = '_private_jobs'
         AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jobs')`,
    );
    return rows[0] ?? { ended: 0, read: 0 };
  };
});

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}
