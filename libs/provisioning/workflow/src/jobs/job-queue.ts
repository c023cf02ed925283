import type { ProviderType } from '@agent-controller/cloud-port';
import { quickQuery, type Fragment } from '@agent-controller/database';
import type { DataSource, EntityManager } from 'typeorm';

export const STEP_TASK = 'provisioning-step';
export const OBSERVE_TASK = 'observe-servers';
export const WATCH_TASK = 'watch-waiting-agents';
export const HEALTH_TASK = 'look-at-agents';
export const SWEEP_TASK = 'sweep-servers';

// Jobs only wake: one that ends after its last attempt is found and made again by the reconciler.
const MAX_ATTEMPTS = 25;

/**
 * Smaller ones come first. A look that waited behind a thousand orders would find all of their servers at once, and late;
 * and what a server waits for must not wait for others to be ordered.
 */
const PRIORITY = { look: -20, awaited: -10, any: 0 };

/** Whether a server, which exists, waits for such a job. */
export function isUrgent(priority: number): boolean {
  return priority < PRIORITY.any;
}

/** A job that is to be made, or moved when it waits already. */
export interface NewJob {
  task: string;
  /** At most one job with the same key waits. */
  key: string;
  /**
   * Jobs of one queue run one after another. For few: whenever the worker fetches jobs, it reads and locks every queue that
   * has none running. Steps have none; what keeps two of one row apart is the row's lease.
   */
  queue: string | null;
  payload: object;
  priority: number;
  delayMs: number;
  /** `replace`: it is moved; `preserve_run_at`: it stays; `sooner`: it is moved unless it is due earlier. */
  mode: 'replace' | 'preserve_run_at' | 'sooner';
}

function stepOf(id: string, delayMs: number, more: Pick<NewJob, 'mode' | 'priority'>): NewJob {
  return { task: STEP_TASK, key: id, queue: null, payload: { id }, delayMs, ...more };
}

/** The next step of a provisioning. At most one such job waits for each; a later one moves it. */
export function stepJob(provisioningId: string, delayMs: number): NewJob {
  return stepOf(provisioningId, delayMs, { mode: 'replace', priority: PRIORITY.any });
}

/** The same for the step of a server that exists: before those that order one. */
export function awaitedStepJob(provisioningId: string, delayMs: number): NewJob {
  return stepOf(provisioningId, delayMs, { mode: 'replace', priority: PRIORITY.awaited });
}

/** A look may have been put off after errors that are over: then it is moved. One that is due earlier stays. */
function lookOf(task: string, more: Pick<NewJob, 'payload' | 'delayMs'> & Partial<NewJob>): NewJob {
  return { task, key: task, queue: null, priority: PRIORITY.any, mode: 'sooner', ...more };
}

/** Looks at the provider's waiting servers, at the latest after `delayMs`; one job at a time. */
export function observationJob(provider: ProviderType, delayMs: number): NewJob {
  const key = `${OBSERVE_TASK}:${provider}`;
  return lookOf(OBSERVE_TASK, { key, queue: key, payload: { provider }, priority: PRIORITY.look, delayMs });
}

/** Looks at servers that are being installed, from now on, by whichever controllers. */
export function agentWatchJob(): NewJob {
  return lookOf(WATCH_TASK, { payload: {}, priority: PRIORITY.look, delayMs: 0 });
}

/** A job as a call within a statement, which makes it when it commits. @param from number of the first parameter */
export function jobSql({ task, key, queue, payload, priority, delayMs, mode }: NewJob, from: number): Fragment {
  const [$task, $key, $queue, $payload, $priority, $delay, $mode] = Array.from({ length: 7 }, (_, i) => `$${from + i}`);
  const wanted = `CASE WHEN ${$mode}::text <> 'sooner' THEN ${$mode}::text WHEN EXISTS (
      SELECT 1 FROM graphile_worker.jobs
      WHERE key = ${$key}::text AND run_at > now() + ${$delay}::double precision * interval '1 millisecond'
    ) THEN 'replace' ELSE 'preserve_run_at' END`;
  const text = `(graphile_worker.add_job(${$task}::text, ${$payload}::json, queue_name => ${$queue}::text,
    job_key => ${$key}::text, run_at => now() + ${$delay}::double precision * interval '1 millisecond',
    max_attempts => ${MAX_ATTEMPTS}, priority => ${$priority}::integer, job_key_mode => ${wanted})).id`;
  return { text, values: [task, key, queue, JSON.stringify(payload), priority, delayMs, mode] };
}

/**
 * Takes away the steps that wait for their time, as a call within the statement that holds the rows' locks: whoever
 * wants something of a row wakes its step under the lock, or after it. @param ids a query of provisionings
 */
export function forgetSteps(ids: string): string {
  return `(SELECT count(*) FROM graphile_worker.complete_jobs(
    ARRAY(SELECT id FROM graphile_worker.jobs WHERE key = ANY (ARRAY(SELECT id::text FROM (${ids}) AS forgotten)))))`;
}

/** Makes these jobs in the caller's transaction, if there is one. */
export async function enqueueJobs(manager: EntityManager, jobs: readonly NewJob[]): Promise<void> {
  for (const job of jobs) {
    const { text, values } = jobSql(job, 1);
    await manager.query(`SELECT ${text}`, values);
  }
}

/** Wakes the next step of a provisioning. At most one such job waits for each; a later call moves it. */
export async function enqueueStep(manager: EntityManager, provisioningId: string, delayMs = 0): Promise<void> {
  await enqueueJobs(manager, [stepJob(provisioningId, delayMs)]);
}

/**
 * Makes sure that a step will be woken. A job that waits stays as it is, and is not even written: `add_job` would give it this
 * one's priority.
 */
export async function ensureStep(
  manager: EntityManager,
  provisioningId: string,
  { delayMs = 0, isAwaited = false } = {},
): Promise<void> {
  const make = isAwaited ? awaitedStepJob : stepJob;
  const { text, values } = jobSql({ ...make(provisioningId, delayMs), mode: 'preserve_run_at' }, 2);
  await manager.query(
    `SELECT ${text} WHERE NOT EXISTS (
       SELECT 1 FROM graphile_worker.jobs WHERE key = $1::text AND locked_at IS NULL AND attempts = 0)`,
    [provisioningId, ...values],
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
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
      const { text, values } = jobSql(awaitedStepJob(id, 0), 1);
      await quickQuery(dataSource, `SELECT ${text}`, values);
    }
  };
  await Promise.all(Array.from({ length: WAKES_AT_ONCE }, wake));
}

/** Makes sure that the provider's waiting servers are looked at, at the latest after `delayMs`; one job at a time. */
export function enqueueObservation(manager: EntityManager, provider: ProviderType, delayMs: number): Promise<void> {
  return enqueueJobs(manager, [observationJob(provider, delayMs)]);
}

/** Makes sure that servers which are being installed are looked at from now on, by whichever controllers. */
export function enqueueAgentWatch(manager: EntityManager): Promise<void> {
  return enqueueJobs(manager, [agentWatchJob()]);
}

/** Makes sure that the ready agent-managers that are due are looked at, at the latest after `delayMs`. */
export function enqueueHealthLooks(manager: EntityManager, delayMs: number): Promise<void> {
  return enqueueJobs(manager, [lookOf(HEALTH_TASK, { payload: {}, delayMs })]);
}

/** Makes sure that the provider's servers are compared with the rows, at the latest after `delayMs`. */
export function enqueueSweep(manager: EntityManager, provider: ProviderType, delayMs: number): Promise<void> {
  const key = `${SWEEP_TASK}:${provider}`;
  return enqueueJobs(manager, [lookOf(SWEEP_TASK, { key, payload: { provider }, delayMs })]);
}
