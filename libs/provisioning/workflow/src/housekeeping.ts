import type { ProviderType } from '@agent-controller/cloud-port';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { LOOKED_AT } from './health/health.repository';
import { enqueueHealthLooks, enqueueObservation, enqueueStep, HEALTH_TASK, OBSERVE_TASK } from './jobs/job-queue';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

const MISSED_HEARTBEATS = 3;

/** The reconciler's questions and orders to the database. Time is the database's. */
@Injectable()
export class Housekeeping {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

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

  /** Makes a job for everything unfinished that has none. @returns how many */
  async wakeForgotten(): Promise<number> {
    const steps: { id: string }[] = await this.dataSource.query(
      `SELECT id FROM provisioning_references AS reference
       WHERE (phase NOT IN ('ready', 'failed') OR (phase = 'ready' AND intent = 'absent'))
         AND NOT EXISTS (
           SELECT 1 FROM graphile_worker.jobs
           WHERE queue_name = reference.id::text AND attempts < max_attempts
         )`,
    );
    for (const { id } of steps) await enqueueStep(this.dataSource.manager, id);
    const observers: { provider: ProviderType }[] = await this.dataSource.query(
      `SELECT DISTINCT provider_type AS provider FROM provisioning_references
       WHERE phase = 'booting' AND NOT EXISTS (
         SELECT 1 FROM graphile_worker.jobs WHERE key = $1 || ':' || provider_type AND attempts < max_attempts
       )`,
      [OBSERVE_TASK],
    );
    for (const { provider } of observers) await enqueueObservation(this.dataSource.manager, provider, 0);
    await this.wakeHealthKeeper();
    return steps.length;
  }

  private async wakeHealthKeeper(): Promise<void> {
    const [keeper]: { missing: boolean }[] = await this.dataSource.query(
      `SELECT EXISTS (SELECT 1 FROM provisioning_references AS reference WHERE ${LOOKED_AT})
         AND NOT EXISTS (SELECT 1 FROM graphile_worker.jobs WHERE key = $1 AND attempts < max_attempts) AS missing`,
      [HEALTH_TASK],
    );
    if (keeper?.missing) await enqueueHealthLooks(this.dataSource.manager, 0);
  }

  /** Wipes the secrets of old failures, and ends logs, tombstones and idempotency keys whose time is over. */
  async cleanUp(): Promise<void> {
    await this.dataSource.query(
      `UPDATE provisioning_references SET sealed_secrets = NULL, version = version + 1
       WHERE phase = 'failed' AND sealed_secrets IS NOT NULL
         AND phase_since < now() - $1 * interval '1 millisecond'`,
      [this.options.failedSecretsRetentionMs],
    );
    await this.dataSource.query(`DELETE FROM provisioning_events WHERE expires_at < now()`);
    await this.dataSource.query(`DELETE FROM provisioning_tombstones WHERE expires_at < now()`);
    await this.dataSource.query(`DELETE FROM idempotency_keys WHERE expires_at < now()`);
  }
}
