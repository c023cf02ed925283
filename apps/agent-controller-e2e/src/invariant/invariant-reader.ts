import type { Installation } from '../support/controller-process';
import type { InvariantState, SeenRow } from './invariant';

/** Reads what the invariant is about, from the database and from the emulator, past both APIs. */
export async function readInvariantState(installation: Installation): Promise<InvariantState> {
  const [instance] = await installation.query<{ id: string }>('SELECT instance_id AS id FROM instance');
  const rows = await installation.query<SeenRow>(
    `SELECT id, provider_type AS provider, phase, intent, server_id AS "serverId", server_status AS "serverStatus",
       last_error->>'code' AS "errorCode" FROM provisioning_references`,
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

/** What a caller gave up on purpose. An orphan is no excuse: nothing that is tried here may leave one. */
async function reported(installation: Installation): Promise<string[]> {
  const rows = await installation.query<{ id: string }>(
    'SELECT server_id AS id FROM abandoned_servers WHERE server_id IS NOT NULL',
  );
  return rows.map(({ id }) => id);
}
