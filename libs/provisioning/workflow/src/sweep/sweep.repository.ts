import type { ProviderType } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { DataSource, MoreThanOrEqual, type EntityManager } from 'typeorm';
import { OrphanServer, type OrphanKind } from './orphan-server.entity';
import { ProviderSweep, type PauseReason } from './provider-sweep.entity';
import type { OwnedServer } from './sweep-decision';

/** The tables `provider_sweeps` and `orphan_servers`. */
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
    return ((await this.find(providerType))?.pauseReason ?? null) !== null;
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
