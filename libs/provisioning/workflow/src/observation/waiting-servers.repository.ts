import type { CloudServer, ProviderType, ServerStatus } from '@agent-controller/cloud-port';
import { columnsOf, quickQuery } from '@agent-controller/database';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CrowdCommit } from '../crowd-commit';
import type { EventSource } from '../event-rows';
import { agentWatchJob, enqueueSteps } from '../jobs/job-queue';
import type { Phase } from '../phases';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { observedColumns } from '../provisioning.repository';
import type { ProvisioningFailure } from '../provisioning.types';
import { STEP_COLUMNS, type StepRow } from '../step-changes';
import { bootedResult } from '../steps/booting.step';

/** The phase in which the provider's view of the server is waited for. */
export const OBSERVED: Phase = 'booting';

/** What the observer needs to know of a row: there may be thousands, and their secrets alone are many kilobytes each. */
export interface WaitingRow extends EventSource {
  serverId: string;
  serverCreatedAt: Date;
  lookGroup: string | null;
  phaseSince: Date;
  observedAt: Date | null;
  pausedSince: Date | null;
  serverStatus: ServerStatus | null;
  providerStatus: string | null;
  publicIp: string | null;
  /** Whether it reported by itself. */
  speaks: boolean;
  traceParent: string | null;
}

type BootedRow = StepRow & Pick<ProvisioningReference, 'serverStatus' | 'publicIp'>;

/** Rows of servers that boot, as the observer reads and writes them: many by each statement. */
@Injectable()
export class WaitingServers {
  #saveNews?: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly crowd: CrowdCommit,
  ) {}

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** Whose step knows all it needs is not waited for any more. */
  find(provider: ProviderType): Promise<WaitingRow[]> {
    return this.manager.query(
      `SELECT id, client_id AS "clientId", phase, attempt, server_id AS "serverId",
         COALESCE(server_created_at, created_at) AS "serverCreatedAt", provider_metadata ->> 'lookGroup' AS "lookGroup",
         phase_since AS "phaseSince", observed_at AS "observedAt", paused_since AS "pausedSince",
         server_status AS "serverStatus", provider_metadata ->> 'providerStatus' AS "providerStatus",
         public_ip AS "publicIp", report IS NOT NULL AS speaks,
         trace_parent AS "traceParent"
       FROM provisioning_references
       WHERE phase = '${OBSERVED}' AND provider_type = $1 AND intent = 'present' AND server_id IS NOT NULL
         AND NOT (server_status IS NOT DISTINCT FROM 'running' AND public_ip IS NOT NULL)`,
      [provider],
    );
  }

  /**
   * Saves what the provider says of servers that changed; begins the next phase of those that run, and wakes the steps of
   * the others. Nobody's lease is needed.
   */
  async saveNews(news: readonly { id: string; server: CloudServer }[], at: Date): Promise<void> {
    if (news.length === 0) return;
    const seen = news.map(({ id, server }) => ({ id, serverId: server.id, ...observedColumns(server) }));
    const saved = await quickQuery<BootedRow>(
      this.dataSource,
      (this.#saveNews ??= `UPDATE provisioning_references AS row SET
           server_status = seen.status, public_ip = seen.public_ip, private_ip = seen.private_ip,
           provider_metadata = seen.metadata::jsonb, observed_at = $7, missing_since = NULL,
           nudges = nudges + 1, updated_at = now()
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
           AS seen (id, server_id, status, public_ip, private_ip, metadata)
         WHERE row.id = seen.id AND row.server_id = seen.server_id AND row.phase = '${OBSERVED}'
         RETURNING ${columnsOf(this.dataSource, ProvisioningReference, 'row', { only: [...STEP_COLUMNS, 'serverStatus', 'publicIp'] })}`),
      [
        seen.map(({ id }) => id),
        seen.map(({ serverId }) => serverId),
        seen.map(({ serverStatus }) => serverStatus),
        seen.map(({ publicIp }) => publicIp),
        seen.map(({ privateIp }) => privateIp),
        seen.map(({ providerMetadata }) => JSON.stringify(providerMetadata)),
        at,
      ],
    );
    const findings = saved.flatMap((row) => {
      const result = bootedResult(row);
      return result ? [{ row, result }] : [];
    });
    const begun = await this.crowd.save(findings, at, [agentWatchJob()]);
    await enqueueSteps(
      this.dataSource,
      saved.flatMap(({ id }) => (begun.has(id) ? [] : [id])),
    );
  }

  async touch(ids: readonly string[], at: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.manager.query(
      `UPDATE provisioning_references SET observed_at = $2, missing_since = NULL WHERE id = ANY($1::uuid[])`,
      [ids, at],
    );
  }

  /**
   * Stops the clocks of waiting rows, says why, and numbers an event for each. Rows that somebody has locked are left out:
   * the next look comes to them.
   * @returns those that stood still not yet, each with the number of its last event before
   */
  async pause(
    ids: readonly string[],
    why: ProvisioningFailure,
    at: Date,
    manager: EntityManager,
  ): Promise<{ id: string; before: number }[]> {
    const [rows]: [{ id: string; before: number }[], number] = await manager.query(
      `UPDATE provisioning_references SET paused_since = $2, last_error = $3, last_event_seq = last_event_seq + 1
       WHERE id = ANY(ARRAY(
         SELECT id FROM provisioning_references
         WHERE id = ANY($1::uuid[]) AND phase = '${OBSERVED}' AND paused_since IS NULL FOR NO KEY UPDATE SKIP LOCKED))
       RETURNING id, last_event_seq - 1 AS before`,
      [ids, at, JSON.stringify(why)],
    );
    return rows;
  }

  async resume(ids: readonly string[], at: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.manager.query(
      `UPDATE provisioning_references SET paused_since = NULL, last_error = NULL,
         paused_ms = paused_ms + GREATEST(0, extract(epoch FROM $2::timestamptz - paused_since) * 1000)::integer
       WHERE id = ANY($1::uuid[]) AND phase = '${OBSERVED}' AND paused_since IS NOT NULL`,
      [ids, at],
    );
  }
}
