import { Client } from '@agent-controller/clients';
import { columnsOf, quickQuery, withPrefix } from '@agent-controller/database';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CrowdCommit } from '../crowd-commit';
import { EventLog } from '../event-log';
import type { NumberedEvents } from '../event-rows';
import { enqueueSteps } from '../jobs/job-queue';
import type { Phase, WatchedPhase } from '../phases';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { hasItsFiles, reportEvents } from '../reports/report-news';
import type { ServerReport } from '../reports/server-report';
import { STEP_COLUMNS, type StepRow } from '../step-changes';
import type { AdvanceResult } from '../steps/step';
import type { WaitingCrowd } from './watch-delay';

/** As the partial index on `health_due_at` has it, and WATCHED_PHASES. */
export const WATCHED = `reference.phase IN ('installing', 'starting') AND reference.intent = 'present'`;
/** Of who claims a look and dies. */
const CLAIM_SECONDS = 15;

/** Until a look at one whose step is woken. */
const STEP_LOOKS_MS = 1_000;

/** A server that was claimed for a look: its row as it is from the claim on, and what is needed of its client. */
export interface ClaimedAgent {
  row: StepRow;
  client: Pick<Client, (typeof CLIENT_COLUMNS)[number]>;
  /** Until when it is claimed; another time in the row is of somebody who wants a look sooner, or has claimed it again. */
  claimedUntil: Date;
}
const CLIENT_COLUMNS = ['id', 'endpoint', 'tlsServerName', 'tlsSpkiSha256', 'sealedCredentials'] as const;

/** What became of a look. */
export interface SettledLook {
  /** In another phase by now, its step has looked by itself. */
  agent: ClaimedAgent;
  nextMs: number;
  /** The phase that begins with what was found; null while it lasts. */
  result: AdvanceResult | null;
  /** Whether its step has something to do. */
  isNews: boolean;
  /** What the server said that was not known when it was claimed: no failure, which is its step's business. */
  report: ServerReport | null;
  /** Why it did not answer; null when it did. */
  silence: string | null;
}

/** When servers that are being installed are looked at: the column `health_due_at` before `ready`. */
@Injectable()
export class WaitingAgents {
  #claim?: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: EventLog,
    private readonly crowd: CrowdCommit,
  ) {}

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** @param dueAfterMs from when on servers may have something to say, for each phase */
  async count(dueAfterMs: Record<WatchedPhase, number>, now: Date): Promise<WaitingCrowd> {
    const [crowd] = await quickQuery<WaitingCrowd>(
      this.dataSource,
      `SELECT count(*)::integer AS count, count(*) FILTER (
         WHERE reference.phase_since <= $3::timestamptz - interval '1 millisecond' *
           CASE reference.phase WHEN 'installing' THEN $1::double precision ELSE $2::double precision END
       )::integer AS due FROM provisioning_references AS reference WHERE ${WATCHED}`,
      [dueAfterMs.installing, dueAfterMs.starting, now],
    );
    return crowd ?? { count: 0, due: 0 };
  }

  /** Takes those that are due: of controllers that ask at the same moment, one gets each. */
  async claim(limit: number): Promise<ClaimedAgent[]> {
    this.#claim ??= `UPDATE provisioning_references AS claimed SET health_due_at = now() + interval '${CLAIM_SECONDS} seconds'
       FROM clients AS client
       WHERE claimed.id = ANY (ARRAY(
         SELECT id FROM provisioning_references AS reference
         WHERE ${WATCHED} AND (health_due_at IS NULL OR health_due_at <= now())
         ORDER BY health_due_at NULLS FIRST LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
       )) AND client.id = claimed.client_id
       RETURNING claimed.health_due_at AS "claimedUntil",
         ${columnsOf(this.dataSource, ProvisioningReference, 'claimed', { prefix: 'row.', only: STEP_COLUMNS })},
         ${columnsOf(this.dataSource, Client, 'client', { prefix: 'client.', only: CLIENT_COLUMNS })}`;
    const rows = await quickQuery<Record<string, unknown>>(this.dataSource, this.#claim, [limit]);
    return rows.map((row) => {
      const claimedUntil = row['claimedUntil'] as Date;
      return { row: withPrefix(row, 'row.'), client: withPrefix(row, 'client.'), claimedUntil };
    });
  }

  /**
   * Begins the phases that were found, puts the next looks off, saves what servers said with the lines of their logs, and
   * wakes the steps of those with news: a few statements for all that were settled.
   */
  async settle(all: readonly SettledLook[], at: Date): Promise<void> {
    const looks = oneOfEach(all);
    const findings = looks.flatMap(({ agent: { row }, result, nextMs }) => {
      if (!result) return [];
      const patch = { ...result.patch, ...(nextMs > 0 ? { healthDueAt: new Date(at.getTime() + nextMs) } : {}) };
      return [{ row, result: { ...result, patch } }];
    });
    const begun = await this.crowd.save(findings, at);
    const rest = looks.filter(({ agent: { row } }) => !begun.has(row.id));
    if (rest.length === 0) return;
    const woken = await this.dataSource.transaction(async (manager) => {
      const logs = await this.newLines(rest, manager);
      const reported = new Map(logs.map((log) => [log.source.id, log]));
      const rows = rest.map(({ agent: { row, claimedUntil }, nextMs, result, isNews, report, silence }) => {
        const log = reported.get(row.id);
        const said = log ? report : null;
        const more = { silence, said, lines: log?.events.length ?? 0, claimedUntil };
        // What could not be begun at once is for its step, which looks by itself.
        if (result) return { ...row, ...more, nextMs: STEP_LOOKS_MS, isNews: true };
        return { ...row, ...more, nextMs, isNews };
      });
      const [settled]: [{ id: string; isNews: boolean }[], number] = await manager.query(
        `UPDATE provisioning_references AS reference SET
           health_due_at = CASE WHEN reference.health_due_at = look.claimed_until
             THEN now() + look.ms * interval '1 millisecond' ELSE reference.health_due_at END, last_seen = COALESCE(look.silence, last_seen), nudges = nudges + look.is_news::integer,
           report = COALESCE(look.report::jsonb, reference.report), last_event_seq = last_event_seq + look.lines,
           bootstrap_token_hash = CASE WHEN look.has_files THEN NULL ELSE bootstrap_token_hash END
         FROM unnest($1::uuid[], $2::text[], $3::double precision[], $4::boolean[], $5::text[], $6::integer[], $7::boolean[], $8::text[], $9::timestamptz[])
           AS look (id, phase, ms, is_news, report, lines, has_files, silence, claimed_until)
         WHERE reference.id = look.id AND reference.phase = look.phase AND ${WATCHED}
         RETURNING reference.id, look.is_news AS "isNews"`,
        [
          rows.map(({ id }) => id),
          rows.map(({ phase }) => phase),
          rows.map(({ nextMs }) => nextMs),
          rows.map(({ isNews }) => isNews),
          rows.map(({ said }) => said && JSON.stringify(said)),
          rows.map(({ lines }) => lines),
          rows.map(({ said }) => said !== null && hasItsFiles(said)),
          rows.map(({ silence }) => silence),
          rows.map(({ claimedUntil }) => claimedUntil),
        ],
      );
      await this.events.appendNumbered(manager, logs, at);
      return settled.filter(({ isNews }) => isNews).map(({ id }) => id);
    });
    await enqueueSteps(this.dataSource, woken);
  }

  /** Of those whose report is still news, under their locks: they may have reported by themselves meanwhile. */
  private async newLines(looks: readonly SettledLook[], manager: EntityManager): Promise<NumberedEvents[]> {
    const reported = new Map(looks.filter(({ report }) => report !== null).map((look) => [look.agent.row.id, look]));
    if (reported.size === 0) return [];
    const locked: { id: string; phase: Phase; attempt: number; seq: number | null; before: number }[] =
      await manager.query(
        `SELECT id, phase, attempt, (report ->> 'seq')::double precision AS seq, last_event_seq AS before
         FROM provisioning_references AS reference
         WHERE id = ANY($1::uuid[]) AND ${WATCHED} ORDER BY id FOR NO KEY UPDATE`,
        [[...reported.keys()]],
      );
    return locked.flatMap(({ id, phase, attempt, seq, before }) => {
      const { agent, report } = reported.get(id) ?? {};
      if (!agent || !report || phase !== agent.row.phase || attempt !== agent.row.attempt) return [];
      if (seq !== (agent.row.report?.seq ?? null)) return [];
      return [{ source: agent.row, before, events: reportEvents(report, agent.row.report) }];
    });
  }
}

/** A server may be looked at again before its first look is settled: what says most counts. */
function oneOfEach(looks: readonly SettledLook[]): SettledLook[] {
  const best = new Map<string, SettledLook>();
  for (const look of looks) {
    const { id } = look.agent.row;
    const other = best.get(id);
    if (!other || weight(look) >= weight(other)) best.set(id, look);
  }
  return [...best.values()];
}

function weight({ result, isNews, report }: SettledLook): number {
  if (result) return Infinity;
  return isNews ? Number.MAX_VALUE : (report?.seq ?? 0);
}
