import type { Installation } from '../support/controller-process';
import type { InvariantState, SeenRow } from './invariant';

/** Tables in which later versions note servers that belong to no row, with the column that has the server's id. */
const REPORTS = [
  ['orphan_servers', 'server_id'],
  ['abandoned_servers', 'server_id'],
] as const;

/** Reads what the invariant is about, from the database and from the emulator, past both APIs. */
export async function readInvariantState(installation: Installation): Promise<InvariantState> {
  const [instance] = await installation.query<{ id: string }>('SELECT instance_id AS id FROM instance');
  const rows = await installation.query<SeenRow>(
    `SELECT id, provider_type AS provider, phase, intent, server_id AS "serverId", server_status AS "serverStatus"
     FROM provisioning_references`,
  );
  const servers = await installation.emulator.servers();
  const history = await installation.emulator.history();
  const tombstones = await installation.query<{ id: string }>(
    'SELECT provisioning_id AS id FROM provisioning_tombstones WHERE expires_at > now()',
  );
  const deletions = await installation.query<{ provisioningId: string; at: Date }>(
    `SELECT provisioning_id AS "provisioningId", at FROM provisioning_events WHERE type = 'deleted'`,
  );
  return {
    instanceId: instance?.id ?? '',
    rows,
    servers,
    history,
    tombstones: tombstones.map(({ id }) => id),
    reported: await reported(installation),
    deletions: deletions.map(({ provisioningId, at }) => ({ provisioningId, at: at.toISOString() })),
  };
}

async function reported(installation: Installation): Promise<string[]> {
  const found: string[] = [];
  for (const [table, column] of REPORTS) {
    const [exists] = await installation.query<{ there: boolean }>(
      `SELECT to_regclass('public.${table}') IS NOT NULL AS there`,
    );
    if (!exists?.there) continue;
    const rows = await installation.query<{ id: string }>(`SELECT ${column} AS id FROM ${table}`);
    found.push(...rows.map(({ id }) => id));
  }
  return found;
}
