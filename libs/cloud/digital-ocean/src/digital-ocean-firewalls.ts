import {
  CloudError,
  FIREWALL_NAME_PREFIX,
  isSameInbound,
  unlessGone,
  type FirewallSpec,
  type InboundRule,
  type ManagedFirewall,
  type RequestPurpose,
} from '@agent-controller/cloud-port';
import { z } from 'zod';
import {
  firewallAnswer,
  type FirewallAnswer,
  type InboundRuleAnswer,
  type OutboundRuleAnswer,
} from './digital-ocean-answer.schemas';
import { DigitalOceanClient } from './digital-ocean.client';

const EVERYWHERE = { addresses: ['0.0.0.0/0', '::/0'] };
/** Without rules for it nothing gets out. `0` stands for all ports. */
const OUTBOUND = ['tcp', 'udp', 'icmp'].map((protocol) => ({ protocol, ports: '0', destinations: EVERYWHERE }));

/**
 * Firewalls of the project. Each goes by a tag that has its name: whatever droplet is made with the tag stands behind it
 * from its first moment.
 */
export class DigitalOceanFirewalls {
  constructor(private readonly api: DigitalOceanClient) {}

  async ensure(spec: FirewallSpec): Promise<string> {
    const found = (await this.find(spec.name)) ?? (await this.create(spec));
    const isWhole = isSameInbound(toManagedFirewall(found).inbound, spec.inbound);
    if (!isWhole || !(found.tags ?? []).includes(spec.name)) await this.putRight(found, spec);
    return spec.name;
  }

  async list(): Promise<ManagedFirewall[]> {
    return (await this.named('look')).map(toManagedFirewall);
  }

  async remove(firewallId: string, maySend?: () => boolean): Promise<void> {
    const firewall_id = uuid(firewallId);
    const sent = this.api.call(
      { effect: 'change', name: `DELETE /firewalls/${firewall_id}`, purpose: 'look', maySend },
      (dots) => dots.firewall.deleteFirewall({ firewall_id }),
      z.unknown(),
    );
    await unlessGone(sent);
  }

  private async create(spec: FirewallSpec): Promise<FirewallAnswer> {
    const { name } = spec;
    await this.ensureTag(name);
    try {
      const { firewall } = await this.api.call(
        { effect: 'change', name: 'POST /firewalls', purpose: 'create' },
        (dots) => dots.firewall.createFirewall(toRequest(spec)),
        z.object({ firewall: firewallAnswer }),
      );
      return firewall;
    } catch (error) {
      // Another controller may have been faster: names are unique.
      const other = error instanceof CloudError && error.kind === 'conflict' ? await this.find(name) : null;
      if (other) return other;
      throw error;
    }
  }

  /** A firewall is bound to tags that exist. One that is there already is no trouble. */
  private async ensureTag(name: string): Promise<void> {
    try {
      await this.api.call(
        { effect: 'change', name: 'POST /tags', purpose: 'create' },
        (dots) => dots.tag.createTag({ name }),
        z.unknown(),
      );
    } catch (error) {
      if (!(error instanceof CloudError && (error.kind === 'conflict' || error.kind === 'invalid'))) throw error;
    }
  }

  /** What else it was bound to stays so. */
  private async putRight({ id, droplet_ids, tags }: FirewallAnswer, spec: FirewallSpec): Promise<void> {
    const { name } = spec;
    if (!(tags ?? []).includes(name)) await this.ensureTag(name);
    const bound = { droplet_ids: droplet_ids ?? [], tags: [...new Set([...(tags ?? []), name])] };
    await this.api.call(
      { effect: 'change', name: `PUT /firewalls/${uuid(id)}`, purpose: 'create' },
      (dots) => dots.firewall.updateFirewall({ ...toRequest(spec), ...bound, id: uuid(id) }),
      z.unknown(),
    );
  }

  private async find(name: string): Promise<FirewallAnswer | null> {
    return (await this.named('create')).find((firewall) => firewall.name === name) ?? null;
  }

  /** All of the project, since they cannot be asked for by name. */
  private async named(purpose: RequestPurpose): Promise<FirewallAnswer[]> {
    const pages = this.api.list(
      { name: 'GET /firewalls', purpose },
      (dots, page) => dots.firewall.listFirewalls(page),
      'firewalls',
      firewallAnswer,
    );
    const found: FirewallAnswer[] = [];
    for await (const firewall of pages) if (firewall.name.startsWith(FIREWALL_NAME_PREFIX)) found.push(firewall);
    return found;
  }
}

function toRequest({ name, inbound }: FirewallSpec) {
  const inbound_rules = inbound.map(({ port, sources }) => ({
    protocol: 'tcp',
    ports: String(port),
    sources: { addresses: [...sources] },
  }));
  return { name, inbound_rules, outbound_rules: OUTBOUND, tags: [name] };
}

function toManagedFirewall(firewall: FirewallAnswer): ManagedFirewall {
  const { id, name, droplet_ids, inbound_rules, outbound_rules } = firewall;
  const inbound = (inbound_rules ?? []).map(toInbound);
  const isOpen = letsEverythingOut(outbound_rules ?? []) && inbound.every((rule) => rule !== null);
  return {
    id,
    name,
    key: name,
    instanceId: null,
    inbound: isOpen ? inbound.filter((rule) => rule !== null) : null,
    isApplied: (droplet_ids ?? []).length > 0,
  };
}

function toInbound({ protocol, ports, sources }: InboundRuleAnswer): InboundRule | null {
  const { addresses, ...others } = sources;
  const hasOthers = Object.values(others).some((entries) => (entries ?? []).length > 0);
  if (protocol !== 'tcp' || !/^[1-9]\d{0,4}$/.test(ports ?? '') || hasOthers) return null;
  return { port: Number(ports), sources: addresses ?? [] };
}

function letsEverythingOut(rules: readonly OutboundRuleAnswer[]): boolean {
  return OUTBOUND.every(({ protocol }) =>
    rules.some(
      (rule) =>
        rule.protocol === protocol &&
        (protocol === 'icmp' || ['0', 'all', '1-65535'].includes(rule.ports ?? '')) &&
        EVERYWHERE.addresses.every((address) => (rule.destinations.addresses ?? []).includes(address)),
    ),
  );
}

/** Nothing else may come into a path: without an id it would address something else. */
function uuid(id: string): string {
  if (/^[0-9a-f-]{8,64}$/i.test(id)) return id;
  throw new CloudError('invalid', `DigitalOcean: "${id.slice(0, 40)}" is no id of a firewall`);
}
