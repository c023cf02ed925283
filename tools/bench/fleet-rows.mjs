import { order } from './orders.mjs';
import { until } from './stage.mjs';

/** One working client by the API, and copies of its rows: they have the columns of a real one, whatever these are. */
export async function seedFleet(stage, controller, clients) {
  const { body: client } = await order(stage, controller, { provider: 'hetzner', name: 'fleet-0' });
  const info = `/api/clients/${client.id}/provisioning/info`;
  await until(
    async () => (await stage.call(controller, 'GET', info)).body.phase === 'ready',
    'the first server is ready',
  );
  await leaveAlone(stage);
  await stage.query(
    `WITH copy AS (
       INSERT INTO clients SELECT (jsonb_populate_record(client, jsonb_build_object(
         'id', gen_random_uuid(), 'name', 'fleet-' || n, 'created_at', now() - n * interval '1 second'))).*
       FROM clients AS client, generate_series(1, $2::integer) AS n WHERE client.id = $1
       RETURNING id, name)
     INSERT INTO provisioning_references SELECT (jsonb_populate_record(reference, jsonb_build_object(
       'id', gen_random_uuid(), 'client_id', copy.id, 'server_id', 'copy-' || copy.name,
       'server_name', copy.name))).*
     FROM provisioning_references AS reference, copy WHERE reference.client_id = $1`,
    [client.id, clients - 1],
  );
  await stage.query("UPDATE provisioning_references SET health_due_at = now() + interval '1 day'");
  for (const name of ['clients', 'provisioning_references']) await stage.query(`VACUUM ANALYZE ${name}`);
  return client.id;
}

/** Copies have no servers: looks at them, and sweeps, would find that out. */
async function leaveAlone(stage) {
  for (const provider of ['hetzner', 'digital-ocean']) {
    await stage.query(
      `SELECT graphile_worker.add_job('sweep-servers', json_build_object('provider', $1::text),
         job_key => 'sweep-servers:' || $1::text, run_at => now() + interval '1 day', max_attempts => 25)`,
      [provider],
    );
  }
  await stage.query(
    `SELECT graphile_worker.add_job('look-at-agents', '{}', job_key => 'look-at-agents',
       run_at => now() + interval '1 day', max_attempts => 25)`,
  );
}
