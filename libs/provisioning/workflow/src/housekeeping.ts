import type { ProviderType } from '@agent-controller/cloud-port';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { WATCHED } from './agent-watch/waiting-agents.repository';
import { LOOKED_AT } from './health/health.repository';
import {
  enqueueAgentWatch,
  enqueueHealthLooks,
  enqueueObservation,
  enqueueSteps,
  enqueueSweep,
  HEALTH_TASK,
  OBSERVE_TASK,
  SWEEP_TASK,
  WATCH_TASK,
} from './jobs/job-queue';
import { Retention } from './retention';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** After a start there is more urgent work. */
const FIRST_SWEEP_MS = 30_000;
/** After so many a controller counts as dead. */
export const MISSED_HEARTBEATS = 3;

/** As the partial index has it. */
const UNFINISHED = `phase NOT IN ('ready', 'failed') OR (phase = 'ready' AND intent = 'absent')`;

/**
 * Of a job: it will do its work in time. One that failed is put off for longer each time, for hours at last: what spoiled
 * it, such as trouble with the database, is over before.
 */
const WILL_RUN = `attempts < max_attempts
  AND NOT (attempts > 0 AND locked_at IS NULL AND run_at > now() + interval '10 seconds')`;

/** The reconciler's questions and orders to the database. Time is the database's. */
@Injectable()
export class Housekeeping {
  readonly #retention: Retention;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {
    this.#retention = new Retention(dataSource, options);
  }

  async heartbeat(workerId: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO controller_heartbeats (worker_id, seen_at) VALUES ($1, now())
       ON CONFLICT (worker_id) DO UPDATE SET seen_at = now()`,
      [workerId],
    );
  }

  async forget(...workerIds: string[]): Promise<void> {
    await this.dataSource.query(`DELETE FROM controller_heartbeats WHERE worker_id = ANY($1)`, [workerIds]);
  }

  /** Frees the jobs of workers that are gone, and forgets them. One that lives after all loses no more than time. */
  async free(workerIds: readonly string[]): Promise<void> {
    await this.dataSource.query('SELECT graphile_worker.force_unlock_workers($1::text[])', [workerIds]);
    await this.forget(...workerIds);
  }

  /** Who holds jobs or has a heartbeat, but has not been seen lately. */
  async deadWorkers(): Promise<string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT worker_id AS id FROM controller_heartbeats WHERE seen_at < now() - $1 * interval '1 millisecond'
       UNION
       SELECT locked_by FROM graphile_worker.jobs
       WHERE locked_by IS NOT NULL AND locked_at < now() - $1 * interval '1 millisecond'
         AND NOT EXISTS (SELECT 1 FROM controller_heartbeats WHERE worker_id = locked_by)`,
      [MISSED_HEARTBEATS * this.options.heartbeatMs],
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Makes a job for everything unfinished that has none, or one that failed so often that it would be long in coming.
   * @returns how many
   */
  async wakeForgotten(): Promise<number> {
    // One question: an idle controller asks it all the time.
    const missing: { kind: 'step' | 'observer' | 'watch' | 'health'; what: string }[] = await this.dataSource.query(
      `SELECT 'step' AS kind, id::text AS what FROM provisioning_references AS reference
       WHERE (${UNFINISHED})
         AND NOT EXISTS (
           SELECT 1 FROM graphile_worker.jobs
           WHERE key = reference.id::text AND ${WILL_RUN}
         )
       UNION ALL
       SELECT DISTINCT 'observer', provider_type FROM provisioning_references
       WHERE phase = 'booting' AND NOT EXISTS (
         SELECT 1 FROM graphile_worker.jobs WHERE key = $1 || ':' || provider_type AND ${WILL_RUN}
       )
       UNION ALL
       SELECT 'watch', '' WHERE EXISTS (SELECT 1 FROM provisioning_references AS reference WHERE ${WATCHED})
         AND NOT EXISTS (SELECT 1 FROM graphile_worker.jobs WHERE key = $2 AND ${WILL_RUN})
       UNION ALL
       -- In an order that the partial index has: the first of many is found there at once.
       SELECT 'health', '' WHERE (
           SELECT true FROM provisioning_references AS reference WHERE ${LOOKED_AT} ORDER BY health_due_at LIMIT 1
         ) IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM graphile_worker.jobs WHERE key = $3 AND ${WILL_RUN})`,
      [OBSERVE_TASK, WATCH_TASK, HEALTH_TASK],
    );
    const { manager } = this.dataSource;
    const steps = missing.filter(({ kind }) => kind === 'step').map(({ what }) => what);
    await enqueueSteps(this.dataSource, steps);
    for (const { kind, what } of missing) {
      if (kind === 'observer') await enqueueObservation(manager, what as ProviderType, 0);
      else if (kind === 'watch') await enqueueAgentWatch(manager);
      else if (kind === 'health') await enqueueHealthLooks(manager, 0);
    }
    return steps.length;
  }

  /** Makes a sweep's job for each provider that has none. The first one comes after an interval. */
  async wakeSweeps(providers: readonly ProviderType[]): Promise<void> {
    const missing: { provider: ProviderType }[] = await this.dataSource.query(
      `SELECT provider FROM unnest($2::text[]) AS provider
       WHERE NOT EXISTS (
         SELECT 1 FROM graphile_worker.jobs WHERE key = $1 || ':' || provider AND ${WILL_RUN}
       )`,
      [SWEEP_TASK, providers],
    );
    for (const { provider } of missing) {
      await enqueueSweep(this.dataSource.manager, provider, Math.min(FIRST_SWEEP_MS, this.options.sweep.intervalMs));
    }
  }

  /**
   * Wipes the secrets of old failures, and ends what has a time to live.
   * @returns true when something is left to do, for which there was no time
   */
  cleanUp(): Promise<boolean> {
    return this.#retention.enforce();
  }
}
