import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Caller, Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { enqueueStep } from './jobs/job-queue';
import type { NewProvisioning } from './provisioning-factory.service';
import { ProvisioningRepository } from './provisioning.repository';
import { ProvisioningService } from './provisioning.service';
import { ServerPresence } from './sweep/server-presence.service';
import { CLOCK, LOGGER } from './tokens';

const FRESH_MS = 30_000;

/** A provisioning with the provider's present word on its server. */
@Injectable()
export class ProvisioningViewService {
  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly provisionings: ProvisioningRepository,
    private readonly providers: CloudProviderRegistry,
    private readonly presence: ServerPresence,
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
    await this.observe(found);
    return this.provisioning.find(clientId, caller);
  }

  private async observe({ reference }: NewProvisioning): Promise<void> {
    const provider = this.providers.find(reference.providerType);
    if (!provider) return;
    try {
      const presence = await this.presence.ask(provider, reference);
      // The observer would not see it as news any more.
      if (presence === 'seen' && reference.phase === 'booting') {
        await enqueueStep(this.provisionings.manager, reference.id);
      }
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      // The age of what is shown says that it could not be refreshed.
      this.logger.warn({ provider: provider.type, kind: error.kind }, 'the live status could not be refreshed');
    }
  }
}
