import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './action-player';

const LIMIT_MS = 100_000;
const EVERY_MS = 150;

/** What is needed to wait for it. */
export interface Settling {
  installation: Pick<Stage['installation'], 'query'>;
  fleet: Pick<Stage['fleet'], 'checkNobodyFell' | 'log'>;
}

interface OpenRow {
  clientId: string;
  phase: string;
  intent: string;
  error: string | null;
  seen: string | null;
}

/** Takes all trouble away, and starts what was killed. */
export async function heal({ installation, fleet }: Stage): Promise<void> {
  await installation.emulator.clearFaults();
  for (const trouble of ['revoke', 'readonly', 'elsewhere'] as const) {
    await installation.emulator.setToken(trouble, false);
  }
  await fleet.startAll();
}

/**
 * Until nothing is under way. Waits are cut short: whatever waits for its time is woken now.
 * @param isDone of what is still open
 * @throws Error with what is open when that takes too long
 */
export async function quiesce(stage: Settling, isDone: (open: OpenRow[]) => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const open = await openRows(stage);
    if (isDone(open)) return;
    if (Date.now() > end) {
      throw new Error(`Not settled after ${LIMIT_MS} ms: ${JSON.stringify(open)}\n${stage.fleet.log()}`);
    }
    stage.fleet.checkNobodyFell();
    await hurry(stage);
    await sleep(EVERY_MS);
  }
}

/** Rows that are neither ready nor failed as their callers want them. */
export const isSettled = (open: OpenRow[]): boolean =>
  open.every(({ phase, intent }) => phase === 'failed' || (phase === 'ready' && intent === 'present'));

async function openRows({ installation }: Settling): Promise<OpenRow[]> {
  return installation.query<OpenRow>(
    `SELECT client_id AS "clientId", phase, intent, last_error::text AS error, last_seen AS seen
     FROM provisioning_references`,
  );
}

/** Cuts short whatever waits for its time. */
export async function hurry({ installation }: Pick<Settling, 'installation'>): Promise<void> {
  await installation.query(
    // Sweeps come often enough; more of them would use up the providers' limits of a minute. Who waits for such a limit
    // would take each request that comes back for the first of the several that it needs.
    `UPDATE graphile_worker._private_jobs AS job SET run_at = now()
     WHERE run_at > now() AND locked_at IS NULL AND key NOT LIKE 'sweep-servers:%' AND NOT EXISTS (
       SELECT 1 FROM provisioning_references AS row
       WHERE row.id::text = job.key AND row.last_error ->> 'code' = 'provider-rate-limited')`,
  );
  await installation.query(`SELECT pg_notify('jobs:insert', '{"r":"explore","count":20}')`);
}
