import { BlockList, isIP } from 'node:net';
import type { FirewallRecord, Project, ServerRecord } from './project';

/** A rule for what comes in, of either provider. */
export interface EmulatedRule {
  protocol: string;
  /** As it was sent: a port, a range, or nothing. */
  port: string | null;
  sources: string[];
}

interface HetznerBody {
  rules?: { direction: string; protocol: string; port?: string | null; source_ips?: string[] }[];
}
interface DigitalOceanBody {
  inbound_rules?: { protocol: string; ports?: string; sources: { addresses?: string[] } }[] | null;
  tags?: string[] | null;
  droplet_ids?: number[] | null;
}

/** Those that stand before a server now: by their ids at Hetzner, by a tag or its number at DigitalOcean. */
export function firewallsOf(project: Project, server: Pick<ServerRecord, 'id' | 'firewallIds' | 'tags'>) {
  return [...project.firewalls.values()].filter((firewall) => {
    if (project.provider === 'hetzner') return server.firewallIds.includes(firewall.id);
    const { tags, droplet_ids: droplets } = firewall.body as DigitalOceanBody;
    return (tags ?? []).some((tag) => server.tags.includes(tag)) || (droplets ?? []).includes(server.id);
  });
}

export function inboundRules(project: Project, { body }: FirewallRecord): EmulatedRule[] {
  if (project.provider === 'hetzner') {
    const rules = ((body as HetznerBody).rules ?? []).filter(({ direction }) => direction === 'in');
    return rules.map(({ protocol, port, source_ips: sources }) => ({
      protocol,
      port: port ?? null,
      sources: sources ?? [],
    }));
  }
  return ((body as DigitalOceanBody).inbound_rules ?? []).map(({ protocol, ports, sources }) => ({
    protocol,
    port: ports ?? null,
    sources: sources.addresses ?? [],
  }));
}

/** Whether a TCP connection gets through to a server's port. Without a firewall, everything does. */
export function admits(project: Project, server: ServerRecord, port: number, from: string): boolean {
  const firewalls = firewallsOf(project, server);
  if (firewalls.length === 0) return true;
  return firewalls
    .flatMap((firewall) => inboundRules(project, firewall))
    .some((rule) => rule.protocol === 'tcp' && isInRange(rule.port, port) && isFrom(rule.sources, from));
}

function isInRange(ports: string | null, port: number): boolean {
  if (ports === null || ports === '0' || ports === 'all') return true;
  const [first, last = first] = ports.split('-').map(Number);
  return port >= (first ?? 0) && port <= (last ?? 0);
}

function isFrom(sources: readonly string[], from: string): boolean {
  return sources.some((source) => {
    const [address = '', bits] = source.split('/');
    const version = isIP(address);
    // Node takes an IPv4 address for one within IPv6 as well.
    if (version === 0 || version !== isIP(from)) return false;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    const list = new BlockList();
    list.addSubnet(address, Number(bits ?? (version === 6 ? 128 : 32)), family);
    return list.check(from, family);
  });
}

/** An address with the length of its prefix, or, where that is allowed, without. */
export function isNetwork(text: string, { mayBeAlone }: { mayBeAlone: boolean }): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (bits === undefined) return mayBeAlone;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32);
}
