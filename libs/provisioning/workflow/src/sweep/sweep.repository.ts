import type { ProviderType } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { DataSource, MoreThanOrEqual, type EntityManager } from 'typeorm';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningTombstone } from '../provisioning-tombstone.entity';
import { OrphanServer, type OrphanKind } from './orphan-server.entity';
import { ProviderSweep, type PauseReason } from './provider-sweep.entity';
import type { OwnedServer } from './sweep-decision';

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

/** The tables of the sweep, and what it asks of the others. */
@Injectable()
export class SweepRepository {
  constructor(private readonly dataSource: DataSource) {}

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(work);
  }

  /** Takes the right to act from whoever has it. */
  async begin(providerType: ProviderType, runId: string, startedAt: Date): Promise<ProviderSweep> {
    await this.manager.query(
      `INSERT INTO provider_sweeps (provider_type, run_id, started_at) VALUES ($1, $2, $3)
       ON CONFLICT (provider_type) DO UPDATE SET run_id = $2, started_at = $3`,
      [providerType, runId, startedAt],
    );
    return this.manager.findOneByOrFail(ProviderSweep, { providerType });
  }

  /** @returns false when a later run has the right to act by now: nothing was written */
  async update(providerType: ProviderType, runId: string, patch: Partial<ProviderSweep>): Promise<boolean> {
    const { affected } = await this.manager.update(ProviderSweep, { providerType, runId }, patch);
    return affected === 1;
  }

  /** Whether this run still has the right to act. */
  isCurrent(providerType: ProviderType, runId: string): Promise<boolean> {
    return this.manager.existsBy(ProviderSweep, { providerType, runId });
  }

  async isPaused(providerType: ProviderType): Promise<boolean> {
    return (await this.find(providerType))?.pauseReason != null;
  }

  /** The first reason stays until somebody ends the pause. @returns whether this one is new */
  async pause(providerType: ProviderType, reason: PauseReason, message: string, at: Date): Promise<boolean> {
    const [, count]: [unknown, number] = await this.manager.query(
      `UPDATE provider_sweeps SET pause_reason = $2, pause_message = $3, paused_at = $4
       WHERE provider_type = $1 AND pause_reason IS NULL`,
      [providerType, reason, message, at],
    );
    return count === 1;
  }

  async resume(
    providerType: ProviderType,
    facts: Pick<ProviderSweep, 'databaseFingerprint' | 'resumedAt'>,
  ): Promise<void> {
    const patch = { ...facts, pauseReason: null, pauseMessage: null, pausedAt: null };
    await this.manager.update(ProviderSweep, { providerType }, patch);
  }

  async setSentinel(providerType: ProviderType, sentinelId: string): Promise<void> {
    await this.manager.update(ProviderSweep, { providerType }, { sentinelId });
  }

  all(): Promise<ProviderSweep[]> {
    return this.manager.find(ProviderSweep, { order: { providerType: 'ASC' } });
  }

  find(providerType: ProviderType): Promise<ProviderSweep | null> {
    return this.manager.findOneBy(ProviderSweep, { providerType });
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

  /** Saves that the listed servers were seen. */
  async touchSeen(seen: readonly { id: string; serverId: string }[], at: Date): Promise<void> {
    if (seen.length === 0) return;
    await this.manager.query(
      `UPDATE provisioning_references AS reference SET observed_at = $3, missing_since = NULL
       FROM unnest($1::uuid[], $2::text[]) AS seen (id, server_id)
       WHERE reference.id = seen.id AND reference.server_id = seen.server_id
         AND (observed_at IS NULL OR observed_at < $3)`,
      [seen.map(({ id }) => id), seen.map(({ serverId }) => serverId), at],
    );
  }

  /** @returns whether it is new */
  async saveOrphan(
    providerType: ProviderType,
    server: OwnedServer,
    kind: OrphanKind,
    cost: { monthlyCost: number | null; currency: string | null },
    at: Date,
  ): Promise<boolean> {
    const columns = { ...orphanColumns(server), ...cost, kind, lastSeenAt: at };
    const key = { providerType, serverId: server.id };
    const { affected } = await this.manager.update(OrphanServer, key, columns);
    if (affected) return false;
    const values = { ...key, ...columns, firstSeenAt: at };
    const { raw } = await this.manager
      .createQueryBuilder()
      .insert()
      .into(OrphanServer)
      .values(values)
      .orIgnore()
      .returning('server_id')
      .execute();
    return (raw as unknown[]).length === 1;
  }

  orphans(where: { providerType?: ProviderType } = {}): Promise<OrphanServer[]> {
    return this.manager.find(OrphanServer, { where, order: { firstSeenAt: 'ASC', serverId: 'ASC' } });
  }

  /** Those that this sweep has seen. */
  seenOrphans(providerType: ProviderType, sweptAt: Date): Promise<OrphanServer[]> {
    return this.manager.find(OrphanServer, {
      where: { providerType, lastSeenAt: MoreThanOrEqual(sweptAt) },
      order: { firstSeenAt: 'ASC', serverId: 'ASC' },
    });
  }

  lockOrphan(providerType: ProviderType, serverId: string, manager: EntityManager): Promise<OrphanServer | null> {
    return manager.findOne(OrphanServer, {
      where: { providerType, serverId },
      lock: { mode: 'pessimistic_write' },
    });
  }

  async forgetOrphan(providerType: ProviderType, serverId: string, manager = this.manager): Promise<void> {
    await manager.delete(OrphanServer, { providerType, serverId });
  }

  /** Orphans that a full sweep did not see: they are gone, or belong to a row by now. */
  async forgetUnseen(providerType: ProviderType, sweptAt: Date): Promise<void> {
    await this.manager.query(`DELETE FROM orphan_servers WHERE provider_type = $1 AND last_seen_at < $2`, [
      providerType,
      sweptAt,
    ]);
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
       WHERE id::text = $3 OR (provider_type = $1 AND server_id = $2)
       ORDER BY (provider_type = $1 AND server_id IS NOT DISTINCT FROM $2) DESC LIMIT 1`,
      [providerType, serverId, provisioningId],
    );
    return rows[0] ?? null;
  }

  /** Keeps the tombstone until the transaction ends. */
  async lockTombstone(provisioningId: string, manager: EntityManager): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM provisioning_tombstones WHERE provisioning_id::text = $1 FOR SHARE`,
      [provisioningId],
    );
    return rows.length === 1;
  }

  async noteLateServer(provisioningId: string, at: Date): Promise<void> {
    await this.manager.query(
      `UPDATE provisioning_tombstones SET server_seen_at = $2 WHERE provisioning_id::text = $1`,
      [provisioningId, at],
    );
  }
}

export function orphanColumns(server: OwnedServer) {
  return {
    name: server.name,
    serverType: server.serverType,
    location: server.location,
    image: server.image,
    status: server.status,
    publicIpv4: server.publicIpv4,
    publicIpv6: server.publicIpv6,
    privateIpv4: server.privateIpv4,
    provisioningId: server.owner.provisioningId,
    attempt: server.owner.attempt,
    serverCreatedAt: server.createdAt,
  };
}
