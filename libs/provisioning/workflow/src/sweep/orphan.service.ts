import {
  CloudError,
  unlessGone,
  type CloudProvider,
  type CloudServer,
  type OwnerTag,
} from '@agent-controller/cloud-port';
import { AppError, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { CatalogueService } from '../catalogue/catalogue.service';
import { providerError } from '../catalogue/provider-error';
import { InstanceService } from '../instance.service';
import { SentinelService } from '../sentinel.service';
import { CLOCK, LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { OrphanServer } from './orphan-server.entity';
import type { ProviderSweep } from './provider-sweep.entity';
import { SweepPause } from './sweep-pause.service';
import { SweepRepository } from './sweep.repository';
import { SweptRows } from './swept-rows.repository';

/** Names a server at a provider. */
export interface OrphanPlace {
  providerType: string;
  serverId: string;
}

/** An orphan with what the operator's policy means for it. */
export interface ReportedOrphan {
  orphan: OrphanServer;
  /** From when on the sweep may destroy it; null when it does not. */
  destroyAfter: Date | null;
}

export interface OrphanReport {
  servers: ReportedOrphan[];
  /** One for each provider that has a token. */
  sweeps: { provider: CloudProvider; state: ProviderSweep | null }[];
  policy: WorkflowOptions['sweep']['orphanPolicy'];
}

/** Servers of ours that no row knows: what callers can see of them, and ask for. */
@Injectable()
export class OrphanService {
  constructor(
    private readonly sweeps: SweepRepository,
    private readonly sweptRows: SweptRows,
    private readonly catalogue: CatalogueService,
    private readonly instances: InstanceService,
    private readonly sentinel: SentinelService,
    private readonly pause: SweepPause,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'sweep'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async report(): Promise<OrphanReport> {
    const [orphans, states] = await Promise.all([this.sweeps.orphans(), this.sweeps.all()]);
    const stateOf = (type: string) => states.find(({ providerType }) => providerType === type) ?? null;
    const { orphanPolicy, orphanGraceMs } = this.options.sweep;
    return {
      servers: orphans.map((orphan) => {
        const isPaused = (stateOf(orphan.providerType)?.pauseReason ?? null) !== null;
        const isDestroyed = orphanPolicy === 'delete' && orphan.kind === 'unknown' && !isPaused;
        const destroyAfter = isDestroyed ? new Date(orphan.firstSeenAt.getTime() + orphanGraceMs) : null;
        return { orphan, destroyAfter };
      }),
      sweeps: this.catalogue.configuredProviders().map((provider) => ({ provider, state: stateOf(provider.type) })),
      policy: orphanPolicy,
    };
  }

  /**
   * Ends the pause of all providers, and takes what is there now as known.
   * @throws AppError `provider-…`, when our key cannot be made sure of
   */
  async resume(): Promise<OrphanReport> {
    const instance = await this.instances.get();
    for (const provider of this.catalogue.configuredProviders()) {
      const state = await this.sweeps.find(provider.type);
      // Nothing of ours was ever made there, so that no key is needed.
      if (!state?.sentinelId) continue;
      this.sentinel.forget(provider.type);
      const sentinelId = await this.asking(this.sentinel.ensure(provider, instance));
      await this.sweeps.setSentinel(provider.type, sentinelId);
    }
    await this.pause.resume(this.clock.now());
    return this.report();
  }

  /**
   * Destroys a server that is an orphan still; may be repeated.
   * @throws AppError `orphan-not-found`, `server-has-row`, `provider-…`
   */
  async destroy({ providerType, serverId }: OrphanPlace): Promise<'deleting' | 'gone'> {
    const provider = this.catalogue.provider(providerType);
    const server = await this.look(provider, serverId);
    if (!server) return this.forgetGone(provider, serverId);
    return this.sweeps.transaction(async (manager) => {
      const orphan = await this.sweeps.lockOrphan(provider.type, serverId, manager);
      const row = await this.sweptRows.rowOf(
        { providerType: provider.type, serverId, provisioningId: server.owner.provisioningId },
        manager,
      );
      if (row && (row.serverId === serverId || orphan?.kind !== 'surplus')) throw hasRow(serverId, row.clientId);
      if (!orphan) throw notAnOrphan(provider.type, serverId);
      const { name } = server;
      this.logger.warn({ provider: provider.type, serverId, serverName: name }, 'destroying an orphan, as asked for');
      const state = await this.asking(provider.destroy(serverId));
      if (state === 'gone') await this.sweeps.forgetOrphan(provider.type, serverId, manager);
      else await manager.update(OrphanServer, { providerType: provider.type, serverId }, { status: 'deleting' });
      return state;
    });
  }

  /**
   * The server as the provider has it now, when its labels are this installation's; null for none.
   * @throws AppError `orphan-not-found` for another's server, `provider-…`
   */
  async look(provider: CloudProvider, serverId: string): Promise<(CloudServer & { owner: OwnerTag }) | null> {
    if (!/^[\w-]{1,64}$/.test(serverId)) throw notAnOrphan(provider.type, serverId);
    const server = await this.asking(
      unlessGone(provider.get(serverId)).catch((error: unknown) => {
        // What can be no id of this provider is no server's.
        throw error instanceof CloudError && error.kind === 'invalid' ? notAnOrphan(provider.type, serverId) : error;
      }),
    );
    if (!server) return null;
    const { instanceId } = await this.instances.get();
    const { owner } = server;
    if (owner?.instanceId !== instanceId) throw notAnOrphan(provider.type, serverId);
    return { ...server, owner };
  }

  /** "Not found" from another project would hide a server that is billed. */
  private async forgetGone(provider: CloudProvider, serverId: string): Promise<'gone'> {
    const state = await this.sweeps.find(provider.type);
    if (state?.sentinelId && !(await this.asking(provider.hasSentinel(state.sentinelId)))) {
      throw new AppError(
        'provider-refused',
        `The configured token of ${provider.displayName} does not see our key, so it may be another project's. ` +
          'Configure the token of the project in which the server is.',
      );
    }
    await this.sweeps.forgetOrphan(provider.type, serverId);
    return 'gone';
  }

  private async asking<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw error instanceof CloudError ? providerError(error) : error;
    }
  }
}

export function notAnOrphan(providerType: string, serverId: string): AppError {
  return new AppError(
    'orphan-not-found',
    `There is no orphan ${serverId.slice(0, 64)} at ${providerType}. GET /api/clients/provisioning/orphans lists what the last sweep found.`,
  );
}

export function hasRow(serverId: string, clientId: string): AppError {
  return new AppError(
    'server-has-row',
    `Server ${serverId} belongs to client ${clientId}. Use /api/clients/${clientId}/provisioning instead.`,
    { extensions: { clientId } },
  );
}
