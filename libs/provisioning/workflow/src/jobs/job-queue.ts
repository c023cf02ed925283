import type { ProviderType } from '@agent-controller/cloud-port';
import type { DataSource, EntityManager } from 'typeorm';

export const STEP_TASK = 'provisioning-step';
export const OBSERVE_TASK = 'observe-servers';
export const WATCH_TASK = 'watch-waiting-agents';
export const HEALTH_TASK = 'look-at-agents';
export const SWEEP_TASK = 'sweep-servers';

// Jobs only wake: one that ends after its last attempt is found and made again by the reconciler.
export const MAX_ATTEMPTS = 25;

/**
 * Smaller ones come first. A look that waited behind a thousand orders would find all of their servers at once, and late;
 * and what a server waits for must not wait for others to be ordered.
 */
const PRIORITY = { look: -20, awaited: -10, any: 0 };

/** Wakes the next step of a provisioning. At most one such job waits for each; a later call moves it. */
export async function enqueueStep(manager: EntityManager, provisioningId: string, delayMs = 0): Promise<void> {
  await addStep(manager, provisioningId, { delayMs, mode: 'replace', priority: PRIORITY.any });
}

/** The same for the step of a server that exists: before those that order one. */
export async function enqueueAwaitedStep(manager: EntityManager, provisioningId: string, delayMs = 0): Promise<void> {
  await addStep(manager, provisioningId, { delayMs, mode: 'replace', priority: PRIORITY.awaited });
}

/** Makes sure that a step will be woken; a job that waits already stays as it is. */
export async function ensureStep(manager: EntityManager, provisioningId: string, delayMs = 0): Promise<void> {
  await addStep(manager, provisioningId, { delayMs, mode: 'preserve_run_at', priority: PRIORITY.any });
}

async function addStep(
  manager: EntityManager,
  provisioningId: string,
  { delayMs, mode, priority }: { delayMs: number; mode: 'replace' | 'preserve_run_at'; priority: number },
): Promise<void> {
  await manager.query(
    `SELECT graphile_worker.add_job($1, json_build_object('id', $2::text), queue_name => $2, job_key => $2,
       run_at => now() + $3 * interval '1 millisecond', max_attempts => $4, job_key_mode => $5, priority => $6)`,
    [STEP_TASK, provisioningId, delayMs, MAX_ATTEMPTS, mode, priority],
  );
}

const WAKES_AT_ONCE = 4;

/**
 * The same for many, at once, outside of any transaction, each by a statement of its own: one that touched several jobs would
 * meet the worker, which ends several by one statement, in a deadlock. Who is not woken by this wakes by itself later.
 */
export async function enqueueSteps(dataSource: DataSource, provisioningIds: readonly string[]): Promise<void> {
  const rest = [...provisioningIds];
  const wake = async () => {
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) await enqueueAwaitedStep(dataSource.manager, id);
  };
  await Promise.all(Array.from({ length: WAKES_AT_ONCE }, wake));
}

/** Makes sure that the provider's waiting servers are looked at, at the latest after `delayMs`; one job at a time. */
export function enqueueObservation(manager: EntityManager, provider: ProviderType, delayMs: number): Promise<void> {
  const key = `${OBSERVE_TASK}:${provider}`;
  const job = { task: OBSERVE_TASK, key, queue: key, payload: { provider }, priority: PRIORITY.look };
  return addLook(manager, job, delayMs);
}

/** Makes sure that servers which are being installed are looked at from now on, by whichever controllers. */
export function enqueueAgentWatch(manager: EntityManager): Promise<void> {
  return addLook(manager, { task: WATCH_TASK, key: WATCH_TASK, payload: {}, priority: PRIORITY.look }, 0);
}

/** Makes sure that the ready agent-managers that are due are looked at, at the latest after `delayMs`. */
export function enqueueHealthLooks(manager: EntityManager, delayMs: number): Promise<void> {
  return addLook(manager, { task: HEALTH_TASK, key: HEALTH_TASK, payload: {} }, delayMs);
}

/** Makes sure that the provider's servers are compared with the rows, at the latest after `delayMs`. */
export function enqueueSweep(manager: EntityManager, provider: ProviderType, delayMs: number): Promise<void> {
  return addLook(manager, { task: SWEEP_TASK, key: `${SWEEP_TASK}:${provider}`, payload: { provider } }, delayMs);
}

interface LookJob {
  task: string;
  key: string;
  /** Jobs of one queue run one after another. */
  queue?: string;
  payload: object;
  priority?: number;
}

/** A look may have been put off after errors that are over: then it is moved. One that is due earlier stays. */
async function addLook(
  manager: EntityManager,
  { task, key, queue, payload, priority = PRIORITY.any }: LookJob,
  delayMs: number,
): Promise<void> {
  await manager.query(
    `SELECT graphile_worker.add_job($1, $2::json, job_key => $3, queue_name => $6, priority => $7,
       run_at => now() + $4 * interval '1 millisecond', max_attempts => $5,
       job_key_mode => CASE WHEN EXISTS (
         SELECT 1 FROM graphile_worker.jobs WHERE key = $3 AND run_at > now() + $4 * interval '1 millisecond'
       ) THEN 'replace' ELSE 'preserve_run_at' END)`,
    [task, JSON.stringify(payload), key, delayMs, MAX_ATTEMPTS, queue ?? null, priority],
  );
}
