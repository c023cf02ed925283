import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { enqueueSteps } from '../jobs/job-queue';
import type { Phase } from '../phases';
import type { ServerReport } from '../reports/server-report';

/** As the partial index on `health_due_at` has it, and WATCHED_PHASES. */
export const WATCHED = `reference.phase IN ('installing', 'starting') AND reference.intent = 'present'`;
/** Of who claims a look and dies. */
const CLAIM_SECONDS = 15;

/** A server that was claimed for a look. */
export interface ClaimedAgent {
  id: string;
  phase: Phase;
  phaseSince: Date;
  /** What is known of its own word; null while it boots. */
  report: ServerReport | null;
  endpoint: string | null;
  tlsServerName: string | null;
  tlsSpkiSha256: string | null;
}

/** What became of a look. */
export interface SettledLook {
  id: string;
  /** As it was claimed in: in another one, its step has looked by itself. */
  phase: Phase;
  nextMs: number;
  /** Whether its step has something to do. */
  isNews: boolean;
}

/** When servers that are being installed are looked at: the column `health_due_at` before `ready`. */
@Injectable()
export class WaitingAgents {
  constructor(private readonly dataSource: DataSource) {}

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
       FROM (
         SELECT id FROM provisioning_references AS reference
         WHERE ${WATCHED} AND (health_due_at IS NULL OR health_due_at <= now())
         ORDER BY health_due_at NULLS FIRST LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
       ) AS due, clients AS client
       WHERE claimed.id = due.id AND client.id = claimed.client_id
       RETURNING claimed.id, claimed.phase, claimed.phase_since AS "phaseSince", claimed.report,
         client.endpoint, client.tls_server_name AS "tlsServerName", client.tls_spki_sha256 AS "tlsSpkiSha256"`,
      [limit],
    );
    return rows;
  }

  /** Puts the next looks off, and wakes the steps of those with news: of all that were settled, by one statement each. */
  async settle(looks: readonly SettledLook[]): Promise<void> {
    if (looks.length === 0) return;
    await this.dataSource.transaction(async (manager) => {
      const [settled]: [{ id: string; isNews: boolean }[], number] = await manager.query(
        `UPDATE provisioning_references AS reference SET
           health_due_at = now() + look.ms * interval '1 millisecond', nudges = nudges + look.is_news::integer
         FROM unnest($1::uuid[], $2::text[], $3::double precision[], $4::boolean[]) AS look (id, phase, ms, is_news)
         WHERE reference.id = look.id AND reference.phase = look.phase AND ${WATCHED}
         RETURNING reference.id, look.is_news AS "isNews"`,
        [
          looks.map(({ id }) => id),
          looks.map(({ phase }) => phase),
          looks.map(({ nextMs }) => nextMs),
          looks.map(({ isNews }) => isNews),
        ],
      );
      await enqueueSteps(
        manager,
        settled.filter(({ isNews }) => isNews).map(({ id }) => id),
      );
    });
  }
}
