import type { CloudServer } from '@agent-controller/cloud-port';
import type { NewEvent } from '../event-rows';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { observedColumns } from '../provisioning.repository';

type Known = Pick<
  ProvisioningReference,
  'serverName' | 'serverType' | 'serverStatus' | 'publicIp' | 'privateIp' | 'providerMetadata'
>;

export interface ServerDrift {
  patch: Partial<ProvisioningReference>;
  /** What a person should hear of, once. */
  events: NewEvent[];
}

/** What the provider says of a row's server that is not what the row says; null when there is nothing. */
export function driftOf(row: Known, server: CloudServer): ServerDrift | null {
  const seen = { ...observedColumns(server), serverName: server.name, serverType: server.serverType };
  if (Object.entries(seen).every(([name, value]) => isEqual(row[name as keyof Known], value))) return null;
  const firewalls = (metadata: Known['providerMetadata']) => metadata['firewalls'] ?? null;
  const events = [
    row.serverStatus === 'lost' ? note('The provider finds the server again', {}) : null,
    changed('name', row.serverName, seen.serverName),
    changed('type', row.serverType, seen.serverType),
    changed('address', row.publicIp, seen.publicIp),
    changed('firewall', firewalls(row.providerMetadata), firewalls(seen.providerMetadata)),
    row.serverStatus === 'lost' ? null : changed('status', row.serverStatus, seen.serverStatus),
  ].filter((event) => event !== null);
  return { patch: seen, events };
}

/** From nothing to something is no drift: it is what was waited for. */
function changed(what: string, before: string | null, after: string | null): NewEvent | null {
  if (before === null || before === after || isGettingReady(before, after)) return null;
  return note(`The server's ${what} is '${after ?? 'none'}' at the provider now; it was '${before}'`, {
    drift: what,
    before,
    after,
  });
}

function isGettingReady(before: string, after: string | null): boolean {
  return before === 'creating' && after === 'running';
}

function note(message: string, data: NonNullable<NewEvent['data']>): NewEvent {
  return { type: 'note', message, data };
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  const [left, right] = [Object.entries(a), b as Record<string, unknown>];
  return left.length === Object.keys(right).length && left.every(([name, value]) => right[name] === value);
}
