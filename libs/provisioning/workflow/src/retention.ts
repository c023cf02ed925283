import type { DataSource } from 'typeorm';
import type { WorkflowOptions } from './workflow.options';

/** Rows of one statement: few enough that nobody waits for it. */
const BATCH = 500;
/** Rows of living provisionings that one round looks through. */
const PAGE = 1_000;
/** The rest is left to the next round, which must not be late: heartbeats are sent between them. */
const ROUND_MS = 2_000;
/** Tombstones that no sweep looked at, such as of a provider whose token is gone. */
const UNSWEPT_TOMBSTONE_DAYS = 7;
const BEFORE_THE_FIRST = '00000000-0000-0000-0000-000000000000';

/** Removes at most so many rows. @returns how many */
type Removal = (limit: number) => Promise<number>;

/**
 * Ends what has a time to live, in small batches: docs/operations.md lists all tables. Time is the database's. Several
 * controllers share the work: none waits for rows that another one removes.
 */
export class Retention {
  /** Living provisionings up to this one have been looked through. */
  #walkedTo = BEFORE_THE_FIRST;
  readonly #removals: readonly Removal[];

  constructor(
    private readonly dataSource: DataSource,
    private readonly options: WorkflowOptions,
  ) {
    this.#removals = [
      (limit) => this.wipeOldFailures(limit),
      (limit) => this.remove('provisioning_events', 'expires_at < now() ORDER BY expires_at', limit),
      (limit) => this.endTombstones(limit),
      (limit) => this.remove('idempotency_keys', 'expires_at < now() ORDER BY expires_at', limit),
      // Of tokens that were replaced.
      (limit) => this.remove('provider_budgets', `refilled_at < now() - interval '7 days'`, limit),
      (limit) => this.endFailedJobs(limit),
      () => this.shortenLogs(),
    ];
  }

  /** @returns true when something is left to do, for which there was no time */
  async enforce(): Promise<boolean> {
    const until = performance.now() + ROUND_MS;
    for (const removal of this.#removals) {
      while ((await removal(BATCH)) >= BATCH) {
        if (performance.now() > until) return true;
      }
    }
    return false;
  }

  private async remove(table: string, which: string, limit: number, parameters: unknown[] = []): Promise<number> {
    const [, count]: [unknown, number] = await this.dataSource.query(
      // As an array, the rows are sought once, and locked before they go.
      `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
         SELECT ${table}.ctid FROM ${table} WHERE ${which} LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [limit, ...parameters],
    );
    return count;
  }

  /** Secrets that only a retry would need. */
  private async wipeOldFailures(limit: number): Promise<number> {
    const [, count]: [unknown, number] = await this.dataSource.query(
      `UPDATE provisioning_references SET sealed_secrets = NULL, version = version + 1
       WHERE id = ANY(ARRAY(
         SELECT id FROM provisioning_references
         WHERE phase = 'failed' AND sealed_secrets IS NOT NULL AND phase_since < now() - $2 * interval '1 millisecond'
         LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [limit, this.options.failedSecretsRetentionMs],
    );
    return count;
  }

  /**
   * A tombstone is what tells a late server from one that nobody knows. So it stays until a full sweep that began after
   * its time was over, and after the last sight of such a server, has seen none.
   */
  private endTombstones(limit: number): Promise<number> {
    const end = 'GREATEST(provisioning_tombstones.expires_at, provisioning_tombstones.server_seen_at)';
    return this.remove(
      'provisioning_tombstones',
      `expires_at < now() AND (
         ${end} < (SELECT covered_until FROM provider_sweeps
                   WHERE provider_sweeps.provider_type = provisioning_tombstones.provider_type)
         OR ${end} < now() - $2 * interval '1 day')
       ORDER BY expires_at`,
      limit,
      [UNSWEPT_TOMBSTONE_DAYS],
    );
  }

  /** Jobs that used up their attempts: they are kept for a person to look at. What they were to do, other jobs do. */
  private async endFailedJobs(limit: number): Promise<number> {
    const [found]: { count: number }[] = await this.dataSource.query(
      `SELECT count(*)::integer AS count FROM graphile_worker.complete_jobs(ARRAY(
         SELECT id FROM graphile_worker.jobs
         WHERE attempts >= max_attempts AND locked_at IS NULL AND updated_at < now() - $2 * interval '1 millisecond'
         LIMIT $1))`,
      [limit, this.options.failedJobRetentionMs],
    );
    return found?.count ?? 0;
  }

  /**
   * Leaves each living provisioning its last events. Numbers go on from the row's `last_event_seq`, so that none is given
   * twice. It goes through the rows by and by, without an index on what changes with each event.
   * @returns how many rows it looked through, as if it were that many batches
   */
  private async shortenLogs(): Promise<number> {
    const rows: { id: string; last: number }[] = await this.dataSource.query(
      `SELECT id, last_event_seq AS last FROM provisioning_references WHERE id > $1 ORDER BY id LIMIT $2`,
      [this.#walkedTo, PAGE],
    );
    const long = rows.filter(({ last }) => last > this.options.eventsPerProvisioning);
    for (const { id, last } of long) {
      const oldest = last - this.options.eventsPerProvisioning;
      const which = 'provisioning_id = $2 AND seq <= $3 ORDER BY seq';
      while ((await this.remove('provisioning_events', which, BATCH, [id, oldest])) >= BATCH);
    }
    this.#walkedTo = rows.length < PAGE ? BEFORE_THE_FIRST : (rows.at(-1)?.id ?? BEFORE_THE_FIRST);
    // One page in a round.
    return 0;
  }
}
