import { clientProtected, ClientRepository, type Client } from '@agent-controller/clients';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { canHaveServer } from '../steps/server-removal';
import { providerNotConfigured } from './provider-not-configured';

/** What may be asked of a provisioning's end, decided in the transaction that holds its row's lock. */
@Injectable()
export class DeletionGuard {
  constructor(
    private readonly clients: ClientRepository,
    private readonly providers: CloudProviderRegistry,
  ) {}

  /** Locks the client as well, so that it cannot become protected meanwhile. @throws AppError `client-protected` */
  async assertUnprotected(clientId: string, manager: EntityManager): Promise<Client | null> {
    const client = await this.clients.lock(clientId, manager);
    if (client?.isProtected) throw clientProtected(clientId);
    return client;
  }

  /** @throws AppError `client-protected`, `provider-not-configured` */
  async assertDeletable(row: ProvisioningReference, manager: EntityManager): Promise<void> {
    // What is being deleted already cannot be protected any more.
    if (row.intent === 'present' || row.phase === 'failed') await this.assertUnprotected(row.clientId, manager);
    // Where nothing can exist, nobody needs to be asked.
    if (canHaveServer(row)) this.assertConfigured(row);
  }

  /** @throws AppError `provider-not-configured` */
  assertConfigured({ providerType, clientId }: ProvisioningReference): void {
    if (!this.providers.find(providerType)) throw providerNotConfigured(providerType, clientId);
  }

  /**
   * A server that may appear, and whose id nobody knows, must not be given up while somebody can still find it.
   * @throws AppError `client-protected`, `order-under-way`
   */
  async assertAbandonable(row: ProvisioningReference, manager: EntityManager): Promise<Client | null> {
    const client = await this.assertUnprotected(row.clientId, manager);
    const isUnknown = row.serverId === null && row.createRequestedAt !== null;
    const wasTried = row.phase === 'failed' && row.intent === 'absent';
    if (!isUnknown || wasTried || !this.providers.find(row.providerType)) return client;
    throw new AppError(
      'order-under-way',
      'A server was ordered, and it is not known yet which one it is. Wait until `info` shows serverId; or delete ' +
        'without `abandon`, which looks for it. When such a deletion has failed, the server can be given up.',
      { retryAfterSeconds: 5 },
    );
  }
}
