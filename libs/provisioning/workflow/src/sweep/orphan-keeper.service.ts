import { CloudError, unlessGone } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { CatalogueService } from '../catalogue/catalogue.service';
import { InstanceService } from '../instance.service';
import { LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { OrphanServer, type OrphanKind } from './orphan-server.entity';
import type { OwnedServer } from './sweep-decision';
import type { SweepRun } from './sweep-run';
import { SweepRepository } from './sweep.repository';
import { SweptRows } from './swept-rows.repository';

/** Of all servers of this installation at a provider, how many one sweep may destroy without being asked. */
const SHARE_OF_FLEET = 0.05;

/** Servers that no row knows: reported, and destroyed only where the operator's policy says so. */
@Injectable()
export class OrphanKeeper {
  constructor(
    private readonly sweeps: SweepRepository,
    private readonly sweptRows: SweptRows,
    private readonly catalogue: CatalogueService,
    private readonly instances: InstanceService,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'sweep'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async report(run: SweepRun, server: OwnedServer): Promise<void> {
    if (!(await this.save(run, server, 'unknown'))) return;
    const { provisioningId, attempt } = server.owner;
    this.logger.warn(
      { provider: run.provider.type, serverId: server.id, serverName: server.name, provisioningId, attempt },
      'there is a server of ours that no row knows',
    );
  }

  /** @returns whether it is new */
  async save({ provider, startedAt }: SweepRun, server: OwnedServer, kind: OrphanKind): Promise<boolean> {
    const cost = await this.catalogue.cost(provider, server.serverType, server.location);
    return this.sweeps.saveOrphan(provider.type, server, kind, cost, startedAt);
  }

  /**
   * By the policy `delete`: destroys those known for longer than the grace time, a few of them only.
   * @param fleet how many servers of this installation the provider has
   */
  async destroyOld(run: SweepRun, fleet: number): Promise<void> {
    const { orphanPolicy, orphanGraceMs } = this.options.sweep;
    if (orphanPolicy !== 'delete') return;
    const limit = destroyLimit(fleet);
    const seen = await this.sweeps.seenOrphans(run.provider.type, run.startedAt);
    const old = seen.filter(
      ({ kind, status, firstSeenAt }) =>
        kind === 'unknown' && status !== 'deleting' && run.startedAt.getTime() - firstSeenAt.getTime() >= orphanGraceMs,
    );
    for (const orphan of old.slice(0, limit)) await this.destroy(run, orphan);
  }

  /** The orphan's row is held meanwhile, so that nobody adopts it, and a person's word counts. */
  private async destroy({ id: runId, provider }: SweepRun, { serverId }: OrphanServer): Promise<void> {
    await this.sweeps.transaction(async (manager) => {
      const orphan = await this.sweeps.lockOrphan(provider.type, serverId, manager);
      if (!orphan || (await this.sweptRows.rowOf(orphan, manager))) return;
      if (!(await this.sweeps.isCurrent(provider.type, runId)) || (await this.sweeps.isPaused(provider.type))) return;
      const { provisioningId, name } = orphan;
      try {
        const server = await unlessGone(provider.get(serverId));
        const { instanceId } = await this.instances.get();
        // Labels can be changed: what is not ours any more is not touched.
        if (server?.owner?.instanceId !== instanceId || server.owner.provisioningId !== provisioningId) return;
        await provider.destroy(serverId);
      } catch (error) {
        if (!(error instanceof CloudError)) throw error;
        this.logger.warn({ provider: provider.type, serverId, kind: error.kind }, 'an orphan is not destroyed yet');
        return;
      }
      await manager.update(OrphanServer, { providerType: provider.type, serverId }, { status: 'deleting' });
      this.logger.warn(
        { provider: provider.type, serverId, serverName: name, provisioningId },
        'destroying a server that no row knows, by ORPHAN_POLICY',
      );
    });
  }
}

/** One at least, so that a small fleet gets clean as well. */
export function destroyLimit(fleet: number): number {
  return Math.max(1, Math.floor(fleet * SHARE_OF_FLEET));
}
