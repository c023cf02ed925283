import { ClientRepository, type Client } from '@agent-controller/clients';
import { serverName } from '@agent-controller/cloud-port';
import type { Caller, Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository } from '../provisioning.repository';
import { notProvisioned } from '../provisioning.service';
import { StepCommit } from '../step-commit.service';
import { CLOCK, LOGGER } from '../tokens';
import { AbandonedServer } from './abandoned-server.entity';
import { DeletionGuard } from './deletion-guard.service';

/** Forgets servers on purpose: without deleting them, and for ever on record. */
@Injectable()
export class AbandonmentService {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly guard: DeletionGuard,
    private readonly stepCommit: StepCommit,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Ends a provisioning in whatever phase; its server stays as it is. A step that runs meanwhile finds no row to write.
   * @param reason of the caller, 1 to 500 characters
   * @throws AppError `client-not-found`, `client-protected`, `order-under-way`
   */
  async abandon(clientId: string, reason: string, caller: Caller): Promise<'gone'> {
    const client = await this.clients.find(clientId, caller);
    const reference = client && (await this.provisionings.findByClient(clientId));
    const given = reference && (await this.giveUp(reference.id, reason, caller));
    if (given) this.logger.warn({ ...given }, 'a server was abandoned: nobody works on it any more, it may be billed');
    else if (!(await this.provisionings.isBuried(clientId, caller, this.clock.now())))
      throw notProvisioned(clientId, client);
    return 'gone';
  }

  /** What was given up of what this caller may see, the newest first. */
  list(caller: Caller, limit: number): Promise<AbandonedServer[]> {
    return this.provisionings.manager.find(AbandonedServer, {
      where: caller.role === 'admin' ? {} : { owner: caller.subject },
      order: { abandonedAt: 'DESC', provisioningId: 'ASC' },
      take: limit,
    });
  }

  /** @returns null when it was gone before the lock was had */
  private giveUp(id: string, reason: string, caller: Caller): Promise<AbandonedServer | null> {
    return this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(id, manager);
      const client = row && (await this.guard.assertAbandonable(row, manager));
      return row && client && this.record(manager, row, client, { reason, caller });
    });
  }

  private async record(
    manager: EntityManager,
    row: ProvisioningReference,
    client: Client,
    { reason, caller }: { reason: string; caller: Caller },
  ): Promise<AbandonedServer> {
    const now = this.clock.now();
    const abandoned = Object.assign(new AbandonedServer(), {
      ...whatIsKnown(row, client),
      reason,
      abandonedBy: caller.subject,
      abandonedAt: now,
    });
    await manager.insert(AbandonedServer, abandoned);
    const message = 'The server was given up without deleting it; it may still run, and be billed';
    await this.stepCommit.end(manager, row, { type: 'deleted', message, data: { abandoned: true, reason } }, now);
    return abandoned;
  }
}

function whatIsKnown(row: ProvisioningReference, client: Client) {
  const { clientId, providerType, serverId, publicIp, privateIp, serverType, location, attempt, phase } = row;
  const { monthlyCost, currency, sentinelId } = row;
  // Of an order whose answer was lost only the name is known.
  const ordered = row.createRequestedAt ? serverName(client.name, { provisioningId: row.id, attempt }) : null;
  return {
    ...{ provisioningId: row.id, clientId, clientName: client.name, owner: client.owner, providerType, serverId },
    ...{ serverName: row.serverName ?? ordered, publicIp, privateIp, serverType, location, attempt, phase },
    ...{ monthlyCost, currency, sentinelId },
  };
}
