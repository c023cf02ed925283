import type { WorkflowDatabase } from './workflow-database';

/** What grows with the number of servers. Jobs are as many as provisionings are under way. */
export const LARGE_TABLES = [
  'clients',
  'provisioning_references',
  'provisioning_events',
  'provisioning_tombstones',
  'idempotency_keys',
  'abandoned_servers',
];

const CHUNK = 250;

/** Of each hundred rows, so many are in another phase than `ready`. */
const PHASES: [string, number][] = [
  ['booting', 1],
  ['installing', 1],
  ['starting', 1],
  ['failed', 2],
];

/**
 * Copies of a row as the application makes it: most of them ready, as in a fleet, with some events each and as many
 * tombstones and keys. The planner knows what is there.
 */
export async function fillTables(database: WorkflowDatabase, count: number): Promise<void> {
  const { id, clientId } = await database.insert({ phase: 'ready', sealedSecrets: null });
  const query = (sql: string, parameters: unknown[]) => database.dataSource.query(sql, parameters);
  const phase = `CASE ${PHASES.map(([name, share], n) => `WHEN n % 100 >= ${10 * n} AND n % 100 < ${10 * n + share} THEN '${name}'`).join(' ')} ELSE 'ready' END`;
  // A statement may not last for long.
  for (let from = 1; from <= count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK - 1);
    await query(
      `WITH copy AS (
         INSERT INTO clients SELECT (jsonb_populate_record(client, jsonb_build_object(
           'id', gen_random_uuid(), 'owner', 'owner-' || n % 50, 'name', n::text,
           'created_at', now() - n * interval '1 second'))).*
         FROM clients AS client, generate_series($2::integer, $4::integer) AS n WHERE client.id = $1
         RETURNING id, name::integer AS n)
       INSERT INTO provisioning_references SELECT (jsonb_populate_record(reference, jsonb_build_object(
         'id', gen_random_uuid(), 'client_id', copy.id, 'server_id', 'server-' || n, 'phase', ${phase},
         'public_ip', CASE WHEN n % 100 = 0 THEN NULL ELSE '203.0.113.7' END,
         'last_event_seq', 5,
         'health_due_at', now() + (n % 300) * interval '1 second'))).*
       FROM provisioning_references AS reference, copy WHERE reference.id = $3`,
      [clientId, from, id, to],
    );
  }
  await query(
    `INSERT INTO provisioning_events (provisioning_id, seq, client_id, at, type, phase, attempt, message)
     SELECT id, seq, client_id, now(), 'note', phase, 1, 'It runs'
     FROM provisioning_references, generate_series(1, 5) AS seq`,
    [],
  );
  await query(
    `INSERT INTO provisioning_tombstones (provisioning_id, client_id, owner, provider_type, attempt, deleted_at, expires_at)
     SELECT gen_random_uuid(), gen_random_uuid(), 'someone', 'hetzner', 1, now(), now() + n * interval '8 seconds'
     FROM generate_series(1, $1::integer) AS n`,
    [count],
  );
  await query(
    `INSERT INTO idempotency_keys (owner, key, request_hmac, client_id, expires_at)
     SELECT 'someone', n::text, 'x', gen_random_uuid(), now() + n * interval '8 seconds'
     FROM generate_series(1, $1::integer) AS n`,
    [count],
  );
  await query(
    `INSERT INTO abandoned_servers (provisioning_id, client_id, client_name, owner, provider_type, server_id, server_type,
       location, attempt, phase, reason, abandoned_by, abandoned_at)
     SELECT gen_random_uuid(), gen_random_uuid(), 'x', 'owner-' || n % 50, 'hetzner', 'given-up-' || n, 'cx23', 'nbg1', 1,
       'failed', 'because', 'someone', now() FROM generate_series(1, $1::integer) AS n`,
    [count],
  );
  await query('ANALYZE', []);
}
