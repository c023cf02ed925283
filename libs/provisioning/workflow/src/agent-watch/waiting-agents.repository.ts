import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { EventLog, type EventSource, type NumberedEvents } from '../event-log';
import { enqueueSteps } from '../jobs/job-queue';
import type { Phase } from '../phases';
import { hasItsFiles, reportEvents } from '../reports/report-news';
import type { ServerReport } from '../reports/server-report';

/** As the partial index on `health_due_at` has it, and WATCHED_PHASES. */
export const WATCHED = `reference.phase IN ('installing', 'starting') AND reference.intent = 'present'`;
/** Of who claims a look and dies. */
const CLAIM_SECONDS = 15;

/** A server that was claimed for a look. */
export interface ClaimedAgent extends EventSource {
  phaseSince: Date;
  /** What is known of its own word; null while it boots. */
  report: ServerReport | null;
  endpoint: string | null;
  tlsServerName: string | null;
  tlsSpkiSha256: string | null;
}

/** What became of a look. */
export interface SettledLook {
  /** In another phase by now, its step has looked by itself. */
  agent: ClaimedAgent;
  nextMs: number;
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
  constructor(
    private readonly dataSource: DataSource,
    private readonly events: EventLog,
  ) {}

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  async count(): Promise<number> {
    const [row]: { count: number }[] = await this.manager.query(
      `SELECT count(*)::integer AS count FROM provisioning_references AS reference WHERE ${WATCHED}`,
    );
    return row?.count ?? 0;
  }

  /** Takes those that are due: of controllers that ask at the same moment, one gets each. */
  async claim(limit: number): Promise<ClaimedAgent[]> {
    const [rows]: [ClaimedAgent[], number] = await this.manager.query(
      `UPDATE provisioning_references AS claimed SET health_due_at = now() + interval '${CLAIM_SECONDS} seconds'
       FROM clients AS client
       WHERE claimed.id = ANY (ARRAY(
         SELECT id FROM provisioning_references AS reference
         WHERE ${WATCHED} AND (health_due_at IS NULL OR health_due_at <= now())
         ORDER BY health_due_at NULLS FIRST LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
       )) AND client.id = claimed.client_id
       RETURNING claimed.id, claimed.client_id AS "clientId", claimed.phase, claimed.attempt,
         claimed.phase_since AS "phaseSince", claimed.report, client.endpoint, client.tls_server_name AS "tlsServerName", client.tls_spki_sha256 AS "tlsSpkiSha256"`,
      [limit],
    );
    return rows;
  }

  /**
   * Puts the next looks off, saves what servers said with the lines of their logs, and wakes the steps of those with
   * news: a few statements for all that were settled.
   */
  async settle(looks: readonly SettledLook[], at: Date): Promise<void> {
    if (looks.length === 0) return;
    const woken = await this.dataSource.transaction(async (manager) => {
      const logs = await this.newLines(looks, manager);
      const reported = new Map(logs.map((log) => [log.source.id, log]));
      const rows = looks.map(({ agent, nextMs, isNews, report, silence }) => {
        const log = reported.get(agent.id);
        return { ...agent, nextMs, isNews, silence, said: log ? report : null, lines: log?.events.length ?? 0 };
      });
      const [settled]: [{ id: string; isNews: boolean }[], number] = await manager.query(
        `UPDATE provisioning_references AS reference SET
           health_due_at = now() + look.ms * interval '1 millisecond', last_seen = COALESCE(look.silence, last_seen), nudges = nudges + look.is_news::integer,
           report = COALESCE(look.report::jsonb, reference.report), last_event_seq = last_event_seq + look.lines,
           bootstrap_token_hash = CASE WHEN look.has_files THEN NULL ELSE bootstrap_token_hash END
         FROM unnest($1::uuid[], $2::text[], $3::double precision[], $4::boolean[], $5::text[], $6::integer[], $7::boolean[], $8::text[])
           AS look (id, phase, ms, is_news, report, lines, has_files, silence)
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
        ],
      );
      await this.events.appendNumbered(manager, logs, at);
      return settled.filter(({ isNews }) => isNews).map(({ id }) => id);
    });
    await enqueueSteps(this.dataSource, woken);
  }

  /** Of those whose report is still news, under their locks: they may have reported by themselves meanwhile. */
  private async newLines(looks: readonly SettledLook[], manager: EntityManager): Promise<NumberedEvents[]> {
    const reported = new Map(looks.filter(({ report }) => report !== null).map((look) => [look.agent.id, look]));
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
      if (!agent || !report || phase !== agent.phase || attempt !== agent.attempt) return [];
      if (seq !== (agent.report?.seq ?? null)) return [];
      return [{ source: agent, before, events: reportEvents(report, agent.report) }];
    });
  }
}
