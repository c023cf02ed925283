import { readCidr } from '@agent-controller/kernel';
import { createHash } from 'node:crypto';

/** TCP to one port. */
export interface InboundRule {
  port: number;
  /** Networks in CIDR notation. */
  sources: readonly string[];
}

/** What a provider's firewall has to be: nothing else comes in, and everything goes out. */
export interface FirewallSpec {
  /** As `firewallName` answers it. */
  name: string;
  instanceId: string;
  inbound: readonly InboundRule[];
}

/** A firewall that may be one of ours. */
export interface ManagedFirewall {
  id: string;
  name: string;
  /** As `ensureFirewall` answers it. */
  key: string;
  /** The installation that it is labelled with; null where the provider has no labels for firewalls. */
  instanceId: string | null;
  /** What it lets in; null when that is more or other than such rules, or when it does not let everything out. */
  inbound: InboundRule[] | null;
  /** Whether the provider says that it stands before a server; where it goes by a tag, only what else it is bound to. */
  isApplied: boolean;
}

export const FIREWALL_NAME_PREFIX = 'agent-controller-firewall-';
const DIGITS = 24;

/**
 * The firewall's name says what is in it: the same rules of the same installation have the same name, on every
 * controller. The installation's id is in it, since two of them may share a project, and DigitalOcean has no labels for
 * firewalls. It is a tag at DigitalOcean as well.
 */
export function firewallName(instanceId: string, inbound: readonly InboundRule[]): string {
  const digest = createHash('sha256').update(inboundText(inbound)).digest('hex').slice(0, DIGITS);
  return `${FIREWALL_NAME_PREFIX}${digest}-${instanceId}`.toLowerCase();
}

/** Whether this installation made it: the name says so, and no label says otherwise. */
export function isFirewallOf(
  { name, instanceId: labelled }: Pick<ManagedFirewall, 'name' | 'instanceId'>,
  instanceId: string,
): boolean {
  const isNamed = new RegExp(`^${FIREWALL_NAME_PREFIX}[0-9a-f]{${DIGITS}}-`).test(name);
  const isOurs = name.endsWith(`-${instanceId.toLowerCase()}`);
  return isNamed && isOurs && (labelled === null || labelled === instanceId);
}

/** Whether both let in the same, in whatever order and spelling. */
export function isSameInbound(one: readonly InboundRule[] | null, other: readonly InboundRule[] | null): boolean {
  return one !== null && other !== null && inboundText(one) === inboundText(other);
}

function inboundText(inbound: readonly InboundRule[]): string {
  const rules = inbound.map(({ port, sources }) => ({ port, sources: [...new Set(sources.map(spelled))].sort() }));
  return JSON.stringify(rules.sort((a, b) => a.port - b.port));
}

/** Providers may show a single address without its prefix. */
function spelled(source: string): string {
  const single = source.includes(':') ? `${source}/128` : `${source}/32`;
  return readCidr(source.includes('/') ? source : single).cidr ?? source;
}
