import { ClientRepository, unlessTaken } from '@agent-controller/clients';
import type { CloudProvider, CloudServer, OwnerTag } from '@agent-controller/cloud-port';
import { AppError, type Caller, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CatalogueService } from '../catalogue/catalogue.service';
import { EventLog } from '../event-log';
import type { NewEvent } from '../event-rows';
import { InstanceService } from '../instance.service';
import { enqueueObservation, enqueueStep } from '../jobs/job-queue';
import type { NewProvisioning } from '../provisioning-factory.service';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { SentinelService } from '../sentinel.service';
import { CLOCK, LOGGER } from '../tokens';
import { AdoptedRows, type AdoptionRequest } from './adopted-rows.service';
import { LateAccess } from './late-access.service';
import { hasRow, notAnOrphan, OrphanService, type OrphanPlace } from './orphan.service';
import { SweepRepository } from './sweep.repository';
import { SweptRows } from './swept-rows.repository';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Gives a server that no row knows a row again, so that it is seen, its cost is known, and DELETE takes it away. */
@Injectable()
export class OrphanAdoption {
  constructor(
    private readonly orphans: OrphanService,
    private readonly sweeps: SweepRepository,
    private readonly sweptRows: SweptRows,
    private readonly made: AdoptedRows,
    private readonly lateAccess: LateAccess,
    private readonly clients: ClientRepository,
    private readonly catalogue: CatalogueService,
    private readonly instances: InstanceService,
    private readonly sentinel: SentinelService,
    private readonly events: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @throws AppError `orphan-not-found`, `orphan-gone`, `server-has-row`, `provisioning-exists`, `name-taken`,
   * `validation-failed`, `provider-…`
   */
  async adopt(place: OrphanPlace, request: AdoptionRequest, caller: Caller): Promise<NewProvisioning> {
    const provider = this.catalogue.provider(place.providerType);
    const server = await this.orphans.look(provider, place.serverId);
    if (!server) await this.refuseGone(provider, place.serverId);
    if (!server || server.status === 'deleting') throw gone(place.serverId);
    const completed = await this.lateAccess.complete(server, provider, request, caller);
    if (completed) return completed;
    if (!UUID.test(server.owner.provisioningId)) throw notAnOrphan(provider.type, place.serverId);
    // The server was seen with this token just now, so our key in the same project is proof of it from now on.
    const sentinelId = await this.sentinel.ensure(provider, await this.instances.get());
    const rows = this.made.create(server, { provider, sentinelId, request, caller, now: this.clock.now() });
    await unlessTaken(rows.client.name, () =>
      this.sweeps.transaction((manager) => this.save(manager, provider, server, rows)),
    );
    this.logger.warn(
      { provider: provider.type, serverId: server.id, clientId: rows.client.id, provisioningId: rows.reference.id },
      'an orphan was adopted',
    );
    return this.lateAccess.reload(rows);
  }

  /** The orphan's row is locked: neither the sweep nor another caller does anything with the server meanwhile. */
  private async save(
    manager: EntityManager,
    provider: CloudProvider,
    server: CloudServer & { owner: OwnerTag },
    { client, reference }: NewProvisioning,
  ): Promise<void> {
    const orphan = await this.sweeps.lockOrphan(provider.type, server.id, manager);
    await this.refuseKnown(manager, provider, server);
    if (!orphan) throw notAnOrphan(provider.type, server.id);
    await this.clients.insert(client, manager);
    const { monthlyCost, currency } = orphan;
    // Of an earlier life of the provisioning, there may be a log still.
    const lastEventSeq = await this.events.lastSeq(reference.id, manager);
    await manager.insert(ProvisioningReference, { ...reference, monthlyCost, currency, lastEventSeq });
    await this.events.append(manager, reference, adoptionEvents(reference, server), reference.phaseSince);
    await this.sweeps.forgetOrphan(provider.type, server.id, manager);
    if (reference.phase === 'failed') return;
    if (reference.phase === 'booting') await enqueueObservation(manager, provider.type, 0);
    await enqueueStep(manager, reference.id);
  }

  private async refuseKnown(
    manager: EntityManager,
    { type: providerType }: CloudProvider,
    { id: serverId, owner: { provisioningId } }: CloudServer & { owner: OwnerTag },
  ): Promise<void> {
    const row = await this.sweptRows.rowOf({ providerType, serverId, provisioningId }, manager);
    if (row?.serverId === serverId) throw hasRow(serverId, row.clientId);
    if (row) {
      const { clientId } = row;
      throw new AppError(
        'provisioning-exists',
        `The provisioning that server ${serverId} was made for belongs to client ${clientId}, with another server. ` +
          'DELETE this one, or delete that client first.',
        { extensions: { clientId } },
      );
    }
    if (await this.sweptRows.lockTombstone(provisioningId, manager)) {
      throw new AppError(
        'provisioning-exists',
        `The provisioning that server ${serverId} was made for was deleted. The server is being destroyed.`,
      );
    }
  }

  /** Known before, and gone by now; or never known. */
  private async refuseGone(provider: CloudProvider, serverId: string): Promise<void> {
    const { servers } = await this.orphans.report();
    const isKnown = servers.some(({ orphan }) => orphan.providerType === provider.type && orphan.serverId === serverId);
    throw isKnown ? gone(serverId) : notAnOrphan(provider.type, serverId);
  }
}

function adoptionEvents(
  { phase, lastError }: Pick<ProvisioningReference, 'phase' | 'lastError'>,
  { id, name }: CloudServer,
): NewEvent[] {
  const adopted: NewEvent = {
    type: 'note',
    message: `The server ${name} (${id}), which no row knew, was adopted`,
    data: { serverId: id, serverName: name },
  };
  const moved: NewEvent = { type: 'phase', message: `It goes on in the phase ${phase}` };
  if (!lastError) return [adopted, moved];
  const { code, action, message } = lastError;
  return [adopted, { type: 'error', message, data: { code, action } }, { ...moved, data: { code } }];
}

function gone(serverId: string): AppError {
  return new AppError('orphan-gone', `Server ${serverId} does not exist any more, or is being deleted.`);
}
