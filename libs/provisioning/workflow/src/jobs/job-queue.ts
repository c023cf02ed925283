import type { ProviderType } from '@agent-controller/cloud-port';
import type { EntityManager } from 'typeorm';

export const STEP_TASK = 'provisioning-step';
export const OBSERVE_TASK = 'observe-servers';

// Jobs only wake: one that ends after its last attempt is found and made again by the reconciler.
const MAX_ATTEMPTS = 25;

/** Wakes the next step of a provisioning. At most one such job waits for each; a later call moves it. */
export async function enqueueStep(manager: EntityManager, provisioningId: string, delayMs = 0): Promise<void> {
  await addStep(manager, provisioningId, delayMs, 'replace');
}

/** Makes sure that a step will be woken; a job that waits already stays as it is. */
export async function ensureStep(manager: EntityManager, provisioningId: string, delayMs = 0): Promise<void> {
  await addStep(manager, provisioningId, delayMs, 'preserve_run_at');
}

async function addStep(
  manager: EntityManager,
  provisioningId: string,
  delayMs: number,
  mode: 'replace' | 'preserve_run_at',
): Promise<void> {
  await manager.query(
    `SELECT graphile_worker.add_job($1, json_build_object('id', $2::text), queue_name => $2, job_key => $2,
       run_at => now() + $3 * interval '1 millisecond', max_attempts => $4, job_key_mode => $5)`,
    [STEP_TASK, provisioningId, delayMs, MAX_ATTEMPTS, mode],
  );
}

/**
 * Makes sure that the provider's waiting servers are looked at: at the latest after `delayMs`, since a look may have
 * been put off after errors that are over; one that is due earlier stays.
 */
export async function enqueueObservation(
  manager: EntityManager,
  provider: ProviderType,
  delayMs: number,
): Promise<void> {
  await manager.query(
    `SELECT graphile_worker.add_job($1, json_build_object('provider', $2::text), job_key => $3,
       run_at => now() + $4 * interval '1 millisecond', max_attempts => $5,
       job_key_mode => CASE WHEN EXISTS (
         SELECT 1 FROM graphile_worker.jobs WHERE key = $3 AND run_at > now() + $4 * interval '1 millisecond'
       ) THEN 'replace' ELSE 'preserve_run_at' END)`,
    [OBSERVE_TASK, provider, `${OBSERVE_TASK}:${provider}`, delayMs, MAX_ATTEMPTS],
  );
}
