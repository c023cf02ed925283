import type { ProviderType } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AbandonedServer } from '../deletion/abandoned-server.entity';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningTombstone } from '../provisioning-tombstone.entity';

/** Rows of one statement. */
const BATCH = 1_000;

/** What a sweep reads of a row. */
const SWEPT_COLUMNS = {
  id: true,
  clientId: true,
  phase: true,
  attempt: true,
  serverId: true,
  serverName: true,
  serverType: true,
  serverStatus: true,
  serverCreatedAt: true,
  publicIp: true,
  privateIp: true,
  providerMetadata: true,
  sentinelId: true,
  createRequestedAt: true,
  observedAt: true,
  missingSince: true,
  createdAt: true,
} as const;

/** What the sweep asks of provisionings and tombstones, and notes there. */
@Injectable()
export class SweptRows {
  constructor(private readonly dataSource: DataSource) {}

  private get manager(): EntityManager {
    return this.dataSource.manager;
  }

  rows(providerType: ProviderType): Promise<ProvisioningReference[]> {
    return this.manager.find(ProvisioningReference, { where: { providerType }, select: SWEPT_COLUMNS });
  }

  async buried(providerType: ProviderType): Promise<Set<string>> {
    const found = await this.manager.find(ProvisioningTombstone, {
      where: { providerType },
      select: { provisioningId: true },
    });
    return new Set(found.map(({ provisioningId }) => provisioningId));
  }

  async abandoned(providerType: ProviderType): Promise<Set<string>> {
    const found = await this.manager.find(AbandonedServer, {
      where: { providerType },
      select: { provisioningId: true },
    });
    return new Set(found.map(({ provisioningId }) => provisioningId));
  }

  /** Saves that the listed servers were seen, so many by each statement that nobody waits for it for long. */
  async touchSeen(seen: readonly { id: string; serverId: string }[], at: Date): Promise<void> {
    for (let from = 0; from < seen.length; from += BATCH) await this.touchSome(seen.slice(from, from + BATCH), at);
  }

  private async touchSome(seen: readonly { id: string; serverId: string }[], at: Date): Promise<void> {
    await this.manager.query(
      `UPDATE provisioning_references AS reference SET observed_at = $3, missing_since = NULL
       FROM unnest($1::uuid[], $2::text[]) AS seen (id, server_id)
       WHERE reference.id = seen.id AND reference.server_id = seen.server_id
         AND (observed_at IS NULL OR observed_at < $3)`,
      [seen.map(({ id }) => id), seen.map(({ serverId }) => serverId), at],
    );
  }

  /** The row that has this server, or whose provisioning the server's label names. */
  async rowOf(
    {
      providerType,
      serverId,
      provisioningId,
    }: { providerType: ProviderType; serverId: string; provisioningId: string },
    manager: EntityManager,
  ): Promise<Pick<ProvisioningReference, 'id' | 'clientId' | 'serverId'> | null> {
    const rows: { id: string; clientId: string; serverId: string | null }[] = await manager.query(
      `SELECT id, client_id AS "clientId", server_id AS "serverId" FROM provisioning_references
       WHERE id = ANY ($3::uuid[]) OR (provider_type = $1 AND server_id = $2)
       ORDER BY (provider_type = $1 AND server_id IS NOT DISTINCT FROM $2) DESC LIMIT 1`,
      [providerType, serverId, asIds(provisioningId)],
    );
    return rows[0] ?? null;
  }

  /** Keeps the tombstone until the transaction ends. */
  async lockTombstone(provisioningId: string, manager: EntityManager): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM provisioning_tombstones WHERE provisioning_id = ANY ($1::uuid[]) FOR SHARE`,
      [asIds(provisioningId)],
    );
    return rows.length === 1;
  }

  async noteLateServer(provisioningId: string, at: Date): Promise<void> {
    await this.manager.query(
      `UPDATE provisioning_tombstones SET server_seen_at = $2 WHERE provisioning_id = ANY ($1::uuid[])`,
      [asIds(provisioningId), at],
    );
  }
}

/** What a label says may be no id at all; compared as text it would be looked for in every row. */
function asIds(provisioningId: string): string[] {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(provisioningId) ? [provisioningId] : [];
}
