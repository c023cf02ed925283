import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import { maySee, SingleFlight, type Caller, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { enqueueStep } from './jobs/job-queue';
import { ProvisioningRepository, type ProvisioningView } from './provisioning.repository';
import { ProvisioningService } from './provisioning.service';
import { ServerPresence } from './sweep/server-presence.service';
import { CLOCK, LOGGER } from './tokens';

/** Forced looks that come together are one: not so often can a server change. */
const JUST_SEEN_MS = 1_000;

/** A provisioning with the provider's last word on its server: of the observer, of a sweep, or of a look that was asked for. */
@Injectable()
export class ProvisioningViewService {
  readonly #looks = new SingleFlight<string, void>();

  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly provisionings: ProvisioningRepository,
    private readonly providers: CloudProviderRegistry,
    private readonly presence: ServerPresence,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @param refresh asks the provider now; calls that come while it is asked wait for the same answer
   * @throws AppError `client-not-found`
   */
  async info(clientId: string, caller: Caller, refresh: boolean): Promise<ProvisioningView> {
    const found = await this.find(clientId, caller);
    const { id, serverId, observedAt } = found.reference;
    const age = this.clock.now().getTime() - (observedAt?.getTime() ?? 0);
    if (!refresh || !serverId || age < JUST_SEEN_MS) return found;
    await this.#looks.run(id, () => this.observe(found));
    return this.find(clientId, caller);
  }

  private async find(clientId: string, caller: Caller): Promise<ProvisioningView> {
    const found = await this.provisionings.view(clientId);
    // The rarer case says why.
    return found && maySee(caller, found.client.owner) ? found : this.provisioning.find(clientId, caller);
  }

  private async observe({ reference }: ProvisioningView): Promise<void> {
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
