import { enqueueStep } from './jobs/job-queue';
import { Retention } from './retention';
import { reportWith } from './testing/server-report.fixture';
import { WorkflowDatabase } from './testing/workflow-database';

/** Time is the database's: rows are made old rather than the clock moved. */
describe('Retention', () => {
  let database: WorkflowDatabase;
  let retention: Retention;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    retention = new Retention(database.dataSource, database.options);
  });
  afterEach(() => database.dispose());

  const query = <T>(sql: string, parameters: unknown[] = []): Promise<T> => database.dataSource.query(sql, parameters);
  const count = async (table: string): Promise<number> => {
    const [row] = await query<{ count: number }[]>(`SELECT count(*)::integer AS count FROM ${table}`);
    return row?.count ?? 0;
  };

  const append = (row: Awaited<ReturnType<WorkflowDatabase['insert']>>, times: number) => {
    const events = Array.from({ length: times }, (_, n) => ({ type: 'note' as const, message: `${n}` }));
    return database.dataSource.transaction((manager) => database.events.append(manager, row, events, new Date()));
  };

  it('leaves a living client its last events, and gives no number twice', async () => {
    const talkative = await database.insert({ phase: 'ready' });
    const quiet = await database.insert({ phase: 'ready' });
    await append(talkative, 730);
    await append(quiet, 100);
    expect(await retention.enforce()).toBe(false);
    const left = await database.events.since(talkative.clientId, 0);
    expect(left.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, n) => 631 + n));
    expect(await database.events.since(quiet.clientId, 0)).toHaveLength(100);
    await append(talkative, 1);
    // Who had read up to 5 goes on with what is left.
    const resumed = await database.events.since(talkative.clientId, 5);
    expect([resumed[0]?.seq, resumed.at(-1)?.seq]).toEqual([631, 731]);
  });

  it('looks through all clients, a page in a round', async () => {
    const rows = [];
    for (let n = 0; n < 3; n++) rows.push(await database.insert({ phase: 'ready' }));
    const [like] = rows;
    await query(
      `WITH copy AS (
         INSERT INTO clients SELECT (jsonb_populate_record(client, jsonb_build_object('id', gen_random_uuid(), 'name', 'copy-' || n))).*
         FROM clients AS client, generate_series(1, 1100) AS n WHERE id = $1 RETURNING id)
       INSERT INTO provisioning_references SELECT (jsonb_populate_record(reference, jsonb_build_object(
         'id', gen_random_uuid(), 'client_id', copy.id))).*
       FROM provisioning_references AS reference, copy WHERE reference.client_id = $1`,
      [like?.clientId],
    );
    for (const row of rows) await append(row, 101);
    // Two pages, and from the beginning again.
    await retention.enforce();
    await retention.enforce();
    expect(await count('provisioning_events')).toBe(300);
    for (const row of rows) await append(row, 1);
    await retention.enforce();
    await retention.enforce();
    expect(await count('provisioning_events')).toBe(300);
  });

  it('ends jobs that used up their attempts after a time, and no others', async () => {
    const ids = [];
    for (let n = 0; n < 4; n++) ids.push((await database.insert()).id);
    for (const id of ids) await enqueueStep(database.dataSource.manager, id);
    const change = (id: string | undefined, set: string) =>
      query(`UPDATE graphile_worker._private_jobs SET ${set} WHERE key = $1`, [id]);
    await change(ids[0], `attempts = max_attempts, updated_at = now() - interval '2 days'`);
    await change(ids[1], `attempts = max_attempts, updated_at = now() - interval '1 hour'`);
    await change(ids[2], `attempts = 3, updated_at = now() - interval '2 days'`);
    await change(
      ids[3],
      `attempts = max_attempts, updated_at = now() - interval '2 days', locked_at = now(), locked_by = 'x'`,
    );
    await retention.enforce();
    expect((await database.jobs()).map(({ key }) => key)).toEqual(ids.slice(1));
  });

  it('removes more than a batch, beside others that do the same', async () => {
    await query(
      `INSERT INTO idempotency_keys (owner, key, request_hmac, client_id, expires_at)
       SELECT 'someone', n::text, 'x', gen_random_uuid(), now() + CASE WHEN n <= 5 THEN 1 ELSE -1 END * interval '1 hour'
       FROM generate_series(1, 3005) AS n`,
    );
    await query(
      `INSERT INTO provisioning_events (provisioning_id, seq, client_id, at, type, phase, attempt, message, expires_at)
       SELECT gen_random_uuid(), 1, gen_random_uuid(), now(), 'note', 'ready', 1, 'x', now() - interval '1 hour'
       FROM generate_series(1, 2000)`,
    );
    const other = new Retention(database.dataSource, database.options);
    while ((await Promise.all([retention.enforce(), other.enforce()])).some(Boolean));
    expect(await count('idempotency_keys')).toBe(5);
    expect(await count('provisioning_events')).toBe(0);
  });

  it('leaves what somebody holds, and waits for nobody', async () => {
    await query(
      `INSERT INTO idempotency_keys (owner, key, request_hmac, client_id, expires_at)
       SELECT 'someone', n::text, 'x', gen_random_uuid(), now() - interval '1 hour' FROM generate_series(1, 2) AS n`,
    );
    await database.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT 1 FROM idempotency_keys WHERE key = '1' FOR UPDATE`);
      await retention.enforce();
      expect(await count('idempotency_keys')).toBe(1);
    });
    await retention.enforce();
    expect(await count('idempotency_keys')).toBe(0);
  });

  it('never removes the record of a server that was given up, nor a report of a living one', async () => {
    await query(
      `INSERT INTO abandoned_servers (provisioning_id, client_id, client_name, owner, provider_type, server_type, location,
         attempt, phase, reason, abandoned_by, abandoned_at)
       VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'someone', 'hetzner', 'cx23', 'nbg1', 1, 'failed', 'because',
         'someone', now() - interval '50 years')`,
    );
    const { id } = await database.insert({ phase: 'ready', report: reportWith() });
    await query(`UPDATE provisioning_references SET phase_since = now() - interval '50 years'`);
    await retention.enforce();
    expect(await count('abandoned_servers')).toBe(1);
    expect((await database.get(id)).report).toEqual(reportWith());
  });
});
