import { ClientRepository, NO_HEALTH, type Client } from '@agent-controller/clients';
import { unlessGone, type CloudProvider, type CloudServer } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { agentEndpoint } from '../agent/agent-target';
import { CatalogueService } from '../catalogue/catalogue.service';
import { EventLog } from '../event-log';
import type { NewEvent } from '../event-rows';
import { isWatched, SWEPT_PHASES } from '../phases';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository } from '../provisioning.repository';
import { SentinelService } from '../sentinel.service';
import { CLOCK } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { driftOf } from './server-drift';

/** `unproven`: "not found", but our key is not visible either, so it may be another project's answer. */
export type Presence = 'seen' | 'missing' | 'unproven';

type Asked = Pick<ProvisioningReference, 'id' | 'serverId' | 'serverType'>;

/** Whether a row's server is still there, and what became of it: for whoever asks the provider outside of a step. */
@Injectable()
export class ServerPresence {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly sentinel: SentinelService,
    private readonly catalogue: CatalogueService,
    private readonly events: EventLog,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'sweep'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Asks for the row's server by its id, and saves the answer. @throws CloudError */
  async ask(provider: CloudProvider, reference: Asked & Pick<ProvisioningReference, 'sentinelId'>): Promise<Presence> {
    const server = await unlessGone(provider.get(reference.serverId ?? ''));
    if (server) {
      await this.saveSeen(reference, server, provider);
      return 'seen';
    }
    if (!(await this.sentinel.isVisible(provider, reference.sentinelId))) return 'unproven';
    await this.saveMissing(reference);
    return 'missing';
  }

  /** Saves what the provider says; what changed at the provider is told once. */
  async saveSeen(
    { id, serverType }: Pick<Asked, 'id' | 'serverType'>,
    server: CloudServer,
    provider: CloudProvider,
    at = this.clock.now(),
  ): Promise<void> {
    const isOtherType = server.serverType !== serverType;
    const price = isOtherType ? await this.catalogue.cost(provider, server.serverType, server.location) : {};
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(id, manager);
      if (!row || row.serverId !== server.id) return;
      // A list takes its time: somebody may have asked since.
      if (row.observedAt && row.observedAt > at) return;
      await this.provisionings.saveObservation(id, server, at, manager);
      const drift = SWEPT_PHASES.includes(row.phase) ? driftOf(row, server) : null;
      if (!drift) return;
      const wasLost = row.serverStatus === 'lost' ? { healthDueAt: null } : {};
      await manager.update(ProvisioningReference, { id }, { ...drift.patch, ...price, ...wasLost });
      await this.spoilLooks(row, manager);
      await this.updateClient(row, drift.patch.publicIp ?? null, manager);
      await this.events.append(manager, row, drift.events, at);
    });
  }

  /** "Lost" is said only when "not found" was answered twice, some minutes apart. */
  async saveMissing({ id, serverId }: Pick<Asked, 'id' | 'serverId'>): Promise<void> {
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(id, manager);
      if (!row || row.serverId !== serverId) return;
      const now = this.clock.now();
      const since = row.missingSince;
      const isLost = since !== null && now.getTime() - since.getTime() >= this.options.sweep.lostAfterMs;
      await manager.update(
        ProvisioningReference,
        { id },
        { missingSince: since ?? now, observedAt: now, ...(isLost ? { serverStatus: 'lost' } : {}) },
      );
      if (isLost && row.serverStatus !== 'lost') await this.tellLost(row, since, now, manager);
    });
  }

  /** What a look at a server that is being installed finds may be of its address of before: its step is to look. */
  private async spoilLooks({ id, phase }: ProvisioningReference, manager: EntityManager): Promise<void> {
    if (isWatched(phase)) await this.provisionings.nudge(id, manager);
  }

  /** A lost server's agent-manager is not looked at any more, and no look that is under way can be saved. */
  private async tellLost(row: ProvisioningReference, since: Date, now: Date, manager: EntityManager): Promise<void> {
    if (row.phase === 'ready') {
      const health: Partial<Client> = { ...NO_HEALTH, health: 'lost', healthSince: since, healthCheckedAt: now };
      await this.clients.update(row.clientId, health, manager);
    }
    await this.spoilLooks(row, manager);
    const event: NewEvent = {
      type: row.phase === 'ready' ? 'health' : 'note',
      message: `The provider does not find the server ${row.serverId} any more`,
      data: { health: 'lost', since: since.toISOString() },
    };
    await this.events.append(manager, row, [event], now);
  }

  private async updateClient(row: ProvisioningReference, publicIp: string | null, manager: EntityManager) {
    const client = await this.clients.get(row.clientId, manager);
    if (!client) return;
    // Only an address that we made: a retry may have given it up.
    const isOurs = row.publicIp !== null && client.endpoint === agentEndpoint(row.publicIp);
    const moved = isOurs && publicIp !== null && publicIp !== row.publicIp;
    const patch: Partial<Client> = {
      ...(moved ? { endpoint: agentEndpoint(publicIp) } : {}),
      ...(client.health === 'lost' ? NO_HEALTH : {}),
    };
    if (Object.keys(patch).length > 0) await this.clients.update(row.clientId, patch, manager);
  }
}
