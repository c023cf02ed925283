import { isDatabaseAway, quickQuery } from '@agent-controller/database';
import type { Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { CHANGE_CHANNEL, insertEvents } from '../event-rows';
import { enqueueObservation } from '../jobs/job-queue';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { readRows } from '../reference-rows';
import { CLOCK, LOGGER } from '../tokens';
import { mayReport } from './callback-tokens';
import { hasItsFiles, isWorthALook, reportEvents } from './report-news';
import { isNewer, type ServerReport } from './server-report';

/** A thousand servers that are set up at once send some hundred reports a second. */
const GATHER_MS = 20;
const MOST = 200;

/** A report that says nothing of a failure, which has secrets to lose first. */
export interface ArrivedReport {
  id: string;
  token: string;
  report: ServerReport;
}

/** `touched`: the row was changed or held by somebody meanwhile, and nothing was written. */
export type Collected = 'saved' | 'refused' | 'touched';

const COLUMNS = [
  ...(['id', 'clientId', 'providerType', 'phase', 'attempt', 'lastEventSeq', 'report'] as const),
  ...(['callbackTokenHash', 'bootstrapTokenHash'] as const),
] as const;
type ReportRow = Pick<ProvisioningReference, (typeof COLUMNS)[number]>;

interface News {
  row: ReportRow;
  report: ServerReport;
}

interface Waiting extends ArrivedReport {
  resolve: (collected: Collected) => void;
  reject: (error: unknown) => void;
}

/**
 * Saves what servers report, with the lines of their logs, for all that arrived within a moment by one statement: one
 * transaction for each report kept a crowd of servers waiting for the database (docs/benchmarks-provisioning.md).
 */
@Injectable()
export class ReportCollector {
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @returns when it is saved, or known already */
  save(arrived: ArrivedReport): Promise<Collected> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...arrived, resolve, reject });
      if (!this.#isBusy) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      await sleep(GATHER_MS);
      const batch = this.#waiting.splice(0, MOST);
      try {
        const collected = await this.collect(batch);
        batch.forEach(({ resolve }, place) => resolve(collected[place] ?? 'touched'));
      } catch (error) {
        batch.forEach(({ reject }) => reject(error));
      }
    }
    this.#isBusy = false;
  }

  private async collect(batch: readonly ArrivedReport[]): Promise<Collected[]> {
    const found = await readRows(
      this.dataSource,
      batch.map(({ id }) => id),
      COLUMNS,
    );
    const rows = new Map(found.map((row) => [row.id, row]));
    const news = new Map<string, News>();
    const accepted = batch.map(({ id, token, report }) => {
      const row = rows.get(id);
      if (!row || !mayReport(token, row)) return false;
      // Each is whole, so that the newest says what the others do.
      if (isNewer(report, news.get(id)?.report ?? row.report)) news.set(id, { row, report });
      return true;
    });
    const saved = await this.write([...news.values()]);
    return batch.map(({ id }, place) => {
      if (!accepted[place]) return 'refused';
      return news.has(id) && !saved.has(id) ? 'touched' : 'saved';
    });
  }

  /** @returns ids of the rows that were saved */
  private async write(news: readonly News[]): Promise<ReadonlySet<string>> {
    if (news.length === 0) return new Set();
    const saved = await this.saveNews(news);
    // A server that speaks runs: the provider will say so now. Later ones need not say it again.
    const speak = news.filter(({ row }) => row.phase === 'booting' && row.report === null && saved.has(row.id));
    try {
      for (const provider of new Set(speak.map(({ row }) => row.providerType))) {
        await enqueueObservation(this.dataSource.manager, provider, 0);
      }
    } catch (error) {
      // It looks by itself as well, only later.
      this.logger.warn({ err: error }, 'the observer could not be woken for servers that report');
    }
    return saved;
  }

  private async saveNews(news: readonly News[]): Promise<ReadonlySet<string>> {
    const logs = news.map(({ row, report }) => ({
      ...{ source: row, before: row.lastEventSeq, events: reportEvents(report, row.report) },
    }));
    const given = news.map(({ row, report }, place) => ({
      ...{ id: row.id, phase: row.phase, attempt: row.attempt, before: row.lastEventSeq },
      ...{ report_seq: row.report?.seq ?? null, token: row.callbackTokenHash, redemption: row.bootstrapTokenHash },
      ...{ report, lines: logs[place]?.events.length ?? 0, has_files: hasItsFiles(report) },
      is_due: isWorthALook(row.phase, report, row.report),
    }));
    const { text: insert, values } = insertEvents(logs, this.clock.now(), 2, 'SELECT id FROM saved');
    // With their ids as arrays, rows are found by the index whatever the planner believes of the JSON.
    // Whoever holds a row's lock may be changing it. A look that is under way, or put off, may be of before.
    const text = `WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, phase text, attempt integer, before integer,
          report_seq bigint, token text, redemption text, report jsonb, lines integer, has_files boolean, is_due boolean)
      ), held AS MATERIALIZED (
        SELECT row.id FROM given JOIN provisioning_references AS row USING (id)
        WHERE row.id = ANY (ARRAY(SELECT id FROM given)) AND row.phase = given.phase
          AND row.attempt = given.attempt AND row.last_event_seq = given.before
          AND (row.report ->> 'seq')::bigint IS NOT DISTINCT FROM given.report_seq
          AND row.callback_token_hash IS NOT DISTINCT FROM given.token
          AND row.bootstrap_token_hash IS NOT DISTINCT FROM given.redemption
        FOR NO KEY UPDATE OF row SKIP LOCKED
      ), saved AS (
        UPDATE provisioning_references AS row SET report = given.report, last_event_seq = given.before + given.lines,
          bootstrap_token_hash = CASE WHEN given.has_files THEN NULL ELSE row.bootstrap_token_hash END,
          health_due_at = CASE WHEN given.is_due THEN LEAST(row.health_due_at, now()) ELSE row.health_due_at END,
          updated_at = now()
        FROM held JOIN given USING (id) WHERE row.id = held.id AND row.id = ANY (ARRAY(SELECT id FROM held))
        RETURNING row.id, row.client_id
      ), event AS (${insert})
      SELECT id, pg_notify('${CHANGE_CHANNEL}', client_id::text) FROM saved`;
    try {
      const saved = await quickQuery<{ id: string }>(this.dataSource, text, [JSON.stringify(given), ...values]);
      return new Set(saved.map(({ id }) => id));
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      // One that cannot be saved must not keep the others: each is tried by itself.
      this.logger.error({ err: error, reports: news.length }, 'reports of servers could not be saved for many at once');
      return new Set();
    }
  }
}
