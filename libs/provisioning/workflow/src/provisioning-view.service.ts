import { Client, NO_HEALTH } from '@agent-controller/clients';
import { CloudError, CloudProviderRegistry, type CloudProvider, type CloudServer } from '@agent-controller/cloud-port';
import type { Caller, Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { enqueueStep } from './jobs/job-queue';
import { ProvisioningReference } from './provisioning-reference.entity';
import type { NewProvisioning } from './provisioning-factory.service';
import { ProvisioningRepository } from './provisioning.repository';
import { ProvisioningService } from './provisioning.service';
import { SentinelService } from './sentinel.service';
import { CLOCK, LOGGER } from './tokens';

const FRESH_MS = 30_000;
/** "Lost" is said only when "not found" was answered this long apart. */
const LOST_AFTER_MS = 5 * 60_000;

/** A provisioning with the provider's present word on its server. */
@Injectable()
export class ProvisioningViewService {
  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly provisionings: ProvisioningRepository,
    private readonly providers: CloudProviderRegistry,
    private readonly sentinel: SentinelService,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @param refresh asks the provider even when its last answer is young
   * @throws AppError `client-not-found`
   */
  async info(clientId: string, caller: Caller, refresh: boolean): Promise<NewProvisioning> {
    const found = await this.provisioning.find(clientId, caller);
    const { reference } = found;
    const age = this.clock.now().getTime() - (reference.observedAt?.getTime() ?? 0);
    if (!reference.serverId || (!refresh && age < FRESH_MS)) return found;
    await this.observe(found, reference.serverId);
    return this.provisioning.find(clientId, caller);
  }

  private async observe({ reference, client }: NewProvisioning, serverId: string): Promise<void> {
    const provider = this.providers.find(reference.providerType);
    if (!provider) return;
    try {
      const server = await this.see(provider, serverId);
      if (server) {
        await this.provisionings.saveObservation(reference.id, server, this.clock.now());
        // The observer would not see it as news any more.
        if (reference.phase === 'booting') await enqueueStep(this.provisionings.manager, reference.id);
      } else if (await this.sentinel.isVisible(provider, reference.sentinelId)) {
        await this.saveMissing(reference, client);
      }
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      // The age of what is shown says that it could not be refreshed.
      this.logger.warn({ provider: provider.type, kind: error.kind }, 'the live status could not be refreshed');
    }
  }

  /** @returns null for "not found" */
  private async see(provider: CloudProvider, serverId: string): Promise<CloudServer | null> {
    try {
      return await provider.get(serverId);
    } catch (error) {
      if (error instanceof CloudError && error.kind === 'not-found') return null;
      throw error;
    }
  }

  private async saveMissing({ id, missingSince, serverStatus }: ProvisioningReference, client: Client): Promise<void> {
    const now = this.clock.now();
    const lost = missingSince !== null && now.getTime() - missingSince.getTime() >= LOST_AFTER_MS;
    await this.provisionings.manager.update(
      ProvisioningReference,
      { id },
      { missingSince: missingSince ?? now, serverStatus: lost ? 'lost' : serverStatus, observedAt: now },
    );
    // A lost server is not looked at any more. In this order: from the first write on, no look can be saved.
    if (lost && client.health) await this.provisionings.manager.update(Client, { id: client.id }, NO_HEALTH);
  }
}
