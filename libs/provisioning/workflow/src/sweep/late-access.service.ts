import { ClientRepository } from '@agent-controller/clients';
import { publicAddress, type CloudProvider, type CloudServer } from '@agent-controller/cloud-port';
import { AppError, type Caller, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { agentEndpoint } from '../agent/agent-target';
import type { NewProvisioning } from '../provisioning-factory.service';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository } from '../provisioning.repository';
import { StepCommit } from '../step-commit.service';
import { CLOCK } from '../tokens';
import { AdoptedRows, isUp, type AdoptionRequest } from './adopted-rows.service';

/** For servers that were adopted without credentials: what is missing can be given later, by adopting them again. */
@Injectable()
export class LateAccess {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly made: AdoptedRows,
    private readonly stepCommit: StepCommit,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @returns null when the server is none of these, or the request has no credentials either */
  async complete(
    server: CloudServer,
    { type: providerType }: CloudProvider,
    request: AdoptionRequest,
    caller: Caller,
  ): Promise<NewProvisioning | null> {
    const found = await this.provisionings.manager.findOneBy(ProvisioningReference, {
      providerType,
      serverId: server.id,
    });
    const client = found && (await this.clients.find(found.clientId, caller));
    const access = client && this.made.access(client.id, request);
    if (!found || !isWithoutAccess(found) || !access) return null;
    const address = publicAddress(server);
    if (!isUp(server) || !address) {
      throw new AppError('not-retryable', `Server ${server.id} does not run, so that nothing can be looked at.`);
    }
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(found.id, manager);
      if (!row || !isWithoutAccess(row)) return;
      await this.clients.update(client.id, { ...access, endpoint: agentEndpoint(address) }, manager);
      const now = this.clock.now();
      await manager.update(ProvisioningReference, { id: row.id }, { lastError: null, attemptSince: now });
      const message = 'The credentials of the adopted server were given';
      await this.stepCommit.begin(manager, row, 'starting', [{ type: 'note', message }], now);
    });
    return this.reload({ client, reference: found });
  }

  async reload({ client, reference }: NewProvisioning): Promise<NewProvisioning> {
    const { id } = reference;
    return {
      client: (await this.clients.get(client.id)) ?? client,
      reference: await this.provisionings.manager.findOneByOrFail(ProvisioningReference, { id }),
    };
  }
}

function isWithoutAccess({ phase, intent, lastError }: ProvisioningReference): boolean {
  return phase === 'failed' && intent === 'present' && lastError?.code === 'adopted-without-credentials';
}
