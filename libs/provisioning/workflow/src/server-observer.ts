import {
  CloudError,
  CloudProviderRegistry,
  publicAddress,
  type CloudServer,
  type ProviderType,
} from '@agent-controller/cloud-port';
import { inSpan, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { EventLog } from './event-log';
import { enqueueObservation, enqueueStep } from './jobs/job-queue';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningRepository } from './provisioning.repository';
import { serversObserved } from './signals';
import { backOffMs, cloudFailure, stopsClock } from './steps/cloud-failure';
import { CLOCK, LOGGER } from './tokens';

const SOONEST_MS = 1_500;
const LATEST_MS = 5_000;
const MAX_LINKS = 32;

/**
 * Looks at all waiting servers of a provider at once, so that what is asked does not grow with their number, and wakes
 * the steps of those that changed. Two at a time do no harm.
 */
@Injectable()
export class ServerObserver {
  /** Errors in a row, for the back-off. */
  readonly #errors = new Map<ProviderType, number>();

  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly events: EventLog,
    private readonly providers: CloudProviderRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One look; asks for the next one while servers wait. */
  async run(type: ProviderType): Promise<void> {
    const provider = this.providers.find(type);
    const waiting = await this.provisionings.waitingServers(type);
    if (!provider || waiting.length === 0) return;
    // One look is for all who wait: it is part of no one's trace, and points to some.
    const links = waiting.flatMap(({ traceParent }) => traceParent ?? []).slice(0, MAX_LINKS);
    const attributes = { 'provider.type': type, 'servers.waiting': waiting.length };
    const delayMs = await inSpan('look at waiting servers', { parent: null, links, attributes }, () =>
      this.look(waiting, (servers) => provider.look(servers), type),
    );
    await enqueueObservation(this.provisionings.manager, type, delayMs);
  }

  private async look(
    waiting: ProvisioningReference[],
    ask: (servers: { serverId: string; createdAt: Date }[]) => Promise<CloudServer[]>,
    type: ProviderType,
  ): Promise<number> {
    try {
      const now = this.clock.now();
      const servers = await ask(
        waiting.map(({ serverId, serverCreatedAt, createdAt }) => ({
          serverId: serverId ?? '',
          createdAt: serverCreatedAt ?? createdAt,
        })),
      );
      await this.save(waiting, new Map(servers.map((server) => [server.id, server])), now);
      this.#errors.delete(type);
      serversObserved.tell({ provider: type, result: 'seen', servers: waiting.length });
      return nextLookMs(waiting, now);
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      const errors = (this.#errors.get(type) ?? 0) + 1;
      this.#errors.set(type, errors);
      serversObserved.tell({ provider: type, result: 'failed', servers: waiting.length });
      this.logger.warn({ provider: type, kind: error.kind, err: error }, 'looking at the waiting servers failed');
      if (stopsClock(error)) await this.pause(waiting, error);
      return backOffMs(errors, error.retryAfterMs);
    }
  }

  /** Waiting is told once per row, not at each look. */
  private async pause(waiting: ProvisioningReference[], error: CloudError): Promise<void> {
    const now = this.clock.now();
    const failure = cloudFailure(error);
    const { code, action, message } = failure;
    for (const reference of waiting.filter(({ pausedSince }) => !pausedSince)) {
      const why = { ...failure, phase: reference.phase, at: now.toISOString() };
      await this.provisionings.transaction(async (manager) => {
        if (!(await this.provisionings.pauseWaiting(reference.id, why, now, manager))) return;
        await this.events.append(manager, reference, [{ type: 'error', message, data: { code, action } }], now);
      });
    }
  }

  private async save(waiting: ProvisioningReference[], seen: Map<string, CloudServer>, now: Date): Promise<void> {
    const unchanged: string[] = [];
    for (const reference of waiting) {
      const server = seen.get(reference.serverId ?? '');
      if (reference.pausedSince) await this.provisionings.resumeWaiting(reference.id, now);
      if (!server) continue;
      if (!isNews(reference, server)) {
        unchanged.push(reference.id);
        continue;
      }
      await this.provisionings.transaction(async (manager) => {
        await this.provisionings.saveObservation(reference.id, server, now, manager);
        await this.provisionings.nudge(reference.id, manager);
        await enqueueStep(manager, reference.id);
      });
    }
    await this.provisionings.touchObserved(unchanged, now);
  }
}

function isNews(reference: ProvisioningReference, server: CloudServer): boolean {
  return (
    server.status !== reference.serverStatus ||
    server.providerStatus !== reference.providerMetadata['providerStatus'] ||
    publicAddress(server) !== reference.publicIp
  );
}

/** Sooner while a server is young, and never so often that looking alone uses up a budget of one request a second. */
function nextLookMs(waiting: ProvisioningReference[], now: Date): number {
  const youngest = Math.max(...waiting.map(({ phaseSince }) => phaseSince.getTime()));
  return Math.min(LATEST_MS, Math.max(SOONEST_MS, (now.getTime() - youngest) / 4));
}
