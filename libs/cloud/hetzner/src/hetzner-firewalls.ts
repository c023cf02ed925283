import {
  CloudError,
  FIREWALL_NAME_PREFIX,
  isSameInbound,
  numericId,
  unlessGone,
  type FirewallSpec,
  type InboundRule,
  type ManagedFirewall,
} from '@agent-controller/cloud-port';
import { z } from 'zod';
import { firewallAnswer, type HetznerFirewall, type HetznerFirewallRule } from './hetzner-answer.schemas';
import { instanceLabels, instanceOfLabels } from './hetzner-owner.labels';
import { HetznerClient } from './hetzner.client';

/** Firewalls of the project. Without a rule for it, Hetzner lets everything out. */
export class HetznerFirewalls {
  constructor(private readonly api: HetznerClient) {}

  async ensure(spec: FirewallSpec): Promise<string> {
    const found = (await this.find(spec.name)) ?? (await this.create(spec));
    const { id, instanceId, inbound } = toManagedFirewall(found);
    if (instanceId !== null && instanceId !== spec.instanceId) {
      throw new CloudError('invalid', `Hetzner Cloud: the firewall ${spec.name} is labelled as another installation's`);
    }
    if (!isSameInbound(inbound, spec.inbound)) await this.setRules(found.id, spec.inbound);
    return id;
  }

  /** Told by their names: a label may have been taken off by hand. */
  async list(): Promise<ManagedFirewall[]> {
    const firewalls: ManagedFirewall[] = [];
    for await (const firewall of this.api.list({ path: '/firewalls', purpose: 'look' }, 'firewalls', firewallAnswer)) {
      if (firewall.name.startsWith(FIREWALL_NAME_PREFIX)) firewalls.push(toManagedFirewall(firewall));
    }
    return firewalls;
  }

  async remove(firewallId: string, maySend?: () => boolean): Promise<void> {
    const path = `/firewalls/${numericId(firewallId, 'Hetzner Cloud')}`;
    await unlessGone(this.api.sendOnly({ method: 'DELETE', path, purpose: 'look', maySend }));
  }

  private async create({ name, instanceId, inbound }: FirewallSpec): Promise<HetznerFirewall> {
    const body = { name, labels: instanceLabels(instanceId), rules: toRules(inbound) };
    const answer = z.object({ firewall: firewallAnswer });
    try {
      return (await this.api.send({ method: 'POST', path: '/firewalls', body, purpose: 'create' }, answer)).firewall;
    } catch (error) {
      // Another controller may have been faster.
      const other = error instanceof CloudError && error.kind === 'conflict' ? await this.find(name) : null;
      if (other) return other;
      throw error;
    }
  }

  private async setRules(id: number, inbound: readonly InboundRule[]): Promise<void> {
    const path = `/firewalls/${id}/actions/set_rules`;
    await this.api.sendOnly({ method: 'POST', path, body: { rules: toRules(inbound) }, purpose: 'create' });
  }

  private async find(name: string): Promise<HetznerFirewall | null> {
    const request = { path: '/firewalls', query: { name }, purpose: 'create' } as const;
    for await (const firewall of this.api.list(request, 'firewalls', firewallAnswer)) {
      if (firewall.name === name) return firewall;
    }
    return null;
  }
}

function toRules(inbound: readonly InboundRule[]) {
  return inbound.map(({ port, sources }) => ({
    direction: 'in',
    protocol: 'tcp',
    port: String(port),
    source_ips: [...sources],
  }));
}

function toManagedFirewall({ id, name, labels, rules, applied_to: applied }: HetznerFirewall): ManagedFirewall {
  const inbound = rules.map(toInbound);
  return {
    id: String(id),
    name,
    key: String(id),
    instanceId: instanceOfLabels(labels ?? {}),
    inbound: inbound.every((rule) => rule !== null) ? inbound : null,
    isApplied: applied.length > 0,
  };
}

function toInbound({ direction, protocol, port, source_ips: sources }: HetznerFirewallRule): InboundRule | null {
  if (direction !== 'in' || protocol !== 'tcp' || !/^\d{1,5}$/.test(port ?? '')) return null;
  return { port: Number(port), sources: sources ?? [] };
}
