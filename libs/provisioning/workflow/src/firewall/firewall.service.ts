import {
  CloudError,
  firewallName,
  type CloudProvider,
  type FirewallSpec,
  type InboundRule,
} from '@agent-controller/cloud-port';
import { SingleFlight, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { Instance } from '../instance.entity';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { CLOCK } from '../tokens';
import { visibilityGraceMs, WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { FirewallRepository } from './firewall.repository';
import { inboundRules, type Reachable } from './inbound-rules';
import type { ProviderFirewall } from './provider-firewall.entity';

/** So long the provider is not asked again whether a firewall is there: somebody may delete or change it by hand. */
const CHECK_IS_FRESH_MS = 600_000;

/** A firewall that an order may name. */
export interface ReadyFirewall {
  name: string;
  /** What the order names it by. */
  key: string;
  /** Whether it was answered from memory: it may be gone at the provider since. */
  isFromMemory: boolean;
  /** Asked when the order leaves: false when so much time has passed that a sweep may take it away. */
  isHeld: () => boolean;
}

type Known = Pick<ReadyFirewall, 'name' | 'key'>;

/** With the time of its last use. */
interface Found {
  firewall: Known;
  at: Date;
}

interface Order {
  provider: CloudProvider;
  instance: Pick<Instance, 'instanceId'>;
  reference: Pick<ProvisioningReference, 'configuration'>;
  sentinelId: string;
}

/** The firewalls before our servers: one for all servers with the same rules, made when the first of them is ordered. */
@Injectable()
export class FirewallService {
  readonly #asked = new SingleFlight<string, Found | null>();

  constructor(
    private readonly firewalls: FirewallRepository,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'controllerCidrs' | 'providerTimeoutMs'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Makes sure that the firewall is at the provider; asks it once per firewall and while that is fresh, for all
   * controllers. Right before an order: a use keeps a firewall for a while only.
   * @returns null while a sweep takes it away: to be asked again soon
   * @throws CloudError as `ensureFirewall`
   */
  async ensure(order: Order): Promise<ReadyFirewall | null> {
    const { provider, sentinelId } = order;
    const spec = this.specOf(order);
    const usedAt = this.clock.now();
    const known = await this.firewalls.use(provider.type, spec, usedAt);
    if (known.removingSince) return null;
    if (isFresh(known, sentinelId, usedAt)) return this.ready(known, usedAt, true);
    const found = await this.askOnce(provider, spec, sentinelId);
    return found && this.ready(found.firewall, found.at, false);
  }

  /** Asks again: the firewall may have been removed at the provider. */
  forget({ type }: CloudProvider, { name }: Pick<ReadyFirewall, 'name'>): Promise<void> {
    return this.firewalls.forget(type, name);
  }

  /** What gets through to a server. */
  inbound(configuration: Reachable): InboundRule[] {
    return inboundRules(configuration, this.options.controllerCidrs);
  }

  private specOf({ instance: { instanceId }, reference: { configuration } }: Order): FirewallSpec {
    const inbound = this.inbound(configuration);
    return { name: firewallName(instanceId, inbound), instanceId, inbound };
  }

  /** Once for all orders of this process that want the same one at the same time. */
  private askOnce(provider: CloudProvider, spec: FirewallSpec, sentinelId: string): Promise<Found | null> {
    const place = `${provider.type} ${spec.name} ${sentinelId}`;
    return this.#asked.run(place, () => this.ask(provider, spec, sentinelId));
  }

  private async ask(provider: CloudProvider, spec: FirewallSpec, sentinelId: string): Promise<Found | null> {
    const { type } = provider;
    // Another order may have asked since this one looked.
    const usedAt = this.clock.now();
    const known = await this.firewalls.use(type, spec, usedAt);
    if (known.removingSince) return null;
    if (isFresh(known, sentinelId, usedAt)) return { firewall: known, at: usedAt };
    const key = await ensured(provider, spec);
    const at = this.clock.now();
    const isOurs = await this.firewalls.found(type, spec.name, { key, sentinelId }, at);
    return isOurs ? { firewall: { name: spec.name, key }, at } : null;
  }

  private ready({ name, key }: Known, usedAt: Date, isFromMemory: boolean): ReadyFirewall {
    const until = usedAt.getTime() + visibilityGraceMs(this.options);
    return { name, key, isFromMemory, isHeld: () => this.clock.now().getTime() < until };
  }
}

function isFresh(firewall: ProviderFirewall, visible: string, now: Date): firewall is ProviderFirewall & Known {
  const { key, sentinelId, checkedAt } = firewall;
  const ageMs = now.getTime() - (checkedAt?.getTime() ?? 0);
  return key !== null && sentinelId === visible && ageMs < CHECK_IS_FRESH_MS;
}

async function ensured(provider: CloudProvider, spec: FirewallSpec): Promise<string> {
  try {
    return await provider.ensureFirewall(spec);
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind !== 'quota') throw error;
    const { message, providerCode, requestId } = error;
    const text = `The server's firewall could not be made, and without it no server is ordered. ${message}`;
    throw new CloudError('quota', text, { providerCode, requestId });
  }
}
