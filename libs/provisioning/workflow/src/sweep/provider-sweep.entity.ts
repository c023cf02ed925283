import type { ProviderType } from '@agent-controller/cloud-port';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Why the sweep destroys nothing on its own at present:
 * - `database-changed`: the rows are in another database, or on another timeline of it, than at the last sweep.
 * - `restored-backup`: there are servers that this database should know, had it not lost rows.
 * - `instance-changed`: rows have servers that carry another installation's id.
 */
export type PauseReason = 'database-changed' | 'restored-backup' | 'instance-changed';

/** What is remembered of a provider's sweeps. Times are by the clock of the controllers. */
@Entity('provider_sweeps')
export class ProviderSweep {
  @PrimaryColumn('text', { name: 'provider_type', primaryKeyConstraintName: 'provider_sweeps_pkey' })
  providerType!: ProviderType;

  /** The sweep that may act: a later one takes the right of an earlier one that still runs. */
  @Column('uuid', { name: 'run_id', nullable: true })
  runId!: string | null;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, nullable: true })
  startedAt!: Date | null;

  /** When the last full sweep was over. */
  @Column({ type: 'timestamptz', name: 'completed_at', precision: 3, nullable: true })
  completedAt!: Date | null;

  /** When the last full sweep began: what the provider had by then was compared. */
  @Column({ type: 'timestamptz', name: 'covered_until', precision: 3, nullable: true })
  coveredUntil!: Date | null;

  /** Of this installation, at the last full sweep. */
  @Column('integer', { nullable: true })
  servers!: number | null;

  /** Why the last sweep did not come to its end; null when it did. */
  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null;

  /** Id of our key in the project that is swept: a list from another project says nothing. */
  @Column('text', { name: 'sentinel_id', nullable: true })
  sentinelId!: string | null;

  /** In which database the rows were, see `DatabaseFingerprint`. */
  @Column('text', { name: 'database_fingerprint', nullable: true })
  databaseFingerprint!: string | null;

  @Column('text', { name: 'pause_reason', nullable: true })
  pauseReason!: PauseReason | null;

  /** For people. */
  @Column('text', { name: 'pause_message', nullable: true })
  pauseMessage!: string | null;

  @Column({ type: 'timestamptz', name: 'paused_at', precision: 3, nullable: true })
  pausedAt!: Date | null;

  /** When a person last ended a pause: what was there by then is no reason for another one. */
  @Column({ type: 'timestamptz', name: 'resumed_at', precision: 3, nullable: true })
  resumedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'keys_checked_at', precision: 3, nullable: true })
  keysCheckedAt!: Date | null;
}
