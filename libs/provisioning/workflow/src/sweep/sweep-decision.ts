import type { CloudServer, OwnerTag } from '@agent-controller/cloud-port';
import { SWEPT_PHASES, type Phase } from '../phases';
import type { ProvisioningReference } from '../provisioning-reference.entity';

/** Of a row, what the decision needs. */
export type SweptRow = Pick<
  ProvisioningReference,
  'id' | 'phase' | 'attempt' | 'serverId' | 'serverCreatedAt' | 'createdAt' | 'observedAt'
>;

/** A server whose labels are ours and complete. */
export type OwnedServer = CloudServer & { owner: OwnerTag };

/** What one list of a provider's servers means, all rows and tombstones of that provider being known. */
export type SweepAction =
  /** The row's own server: what the provider says of it is saved. */
  | { kind: 'known'; row: SweptRow; server: OwnedServer }
  /** A step of the row is about to look for its servers itself. */
  | { kind: 'left-to-step'; row: SweptRow; server: OwnedServer }
  /** The row has no server, and this is its attempt's: from now on it is the row's. */
  | { kind: 'take'; row: SweptRow; server: OwnedServer }
  /** The row has another server, or gave this one's attempt up. */
  | { kind: 'surplus'; row: SweptRow; server: OwnedServer }
  /** Its provisioning was deleted: it is destroyed, until it is gone. */
  | { kind: 'late'; server: OwnedServer }
  /** A caller gave it up (`?abandon=true`): it is shown, and nobody works on it. */
  | { kind: 'abandoned'; server: OwnedServer }
  /** Nothing here knows its provisioning. */
  | { kind: 'orphan'; server: OwnedServer }
  /** Its attempt is later than the row's: the row is older than the server, so this database went back in time. */
  | { kind: 'ahead'; row: SweptRow; server: OwnedServer }
  /** A row's server that carries another installation's id, and is not ours to touch. */
  | { kind: 'foreign'; row: SweptRow; server: CloudServer }
  /** The row's server is not in the list, which proves nothing: it is asked for by its id. */
  | { kind: 'missing'; row: SweptRow };

export interface SweepFacts {
  /** A full list, in which each server stands once. */
  servers: readonly CloudServer[];
  /** Read after the list: a row is saved before its server is ordered. */
  rows: readonly SweptRow[];
  /** Ids of deleted provisionings, read after the list as well. */
  buried: ReadonlySet<string>;
  /** Ids of provisionings that were given up, read after the list as well. */
  abandoned: ReadonlySet<string>;
  instanceId: string;
  /** When the list was begun. */
  listedAt: Date;
}

/** Their steps look for all servers of the provisioning, and destroy what is too many. */
const SEARCHING_PHASES: readonly Phase[] = ['creating-server', 'replacing', 'deleting'];
/** A new server may be missing from lists for some seconds (DigitalOcean). */
const YOUNG_MS = 60_000;

/** Compares what carries our label with the rows. Pure: nothing is asked and nothing is changed here. */
export function decide(facts: SweepFacts): SweepAction[] {
  const rows = new Map(facts.rows.map((row) => [row.id, row]));
  const byServer = new Map(facts.rows.flatMap((row) => (row.serverId ? [[row.serverId, row] as const] : [])));
  const listed = new Map(facts.servers.map((server) => [server.id, server]));
  const taken = new Set<string>();
  // The oldest first, so that of several servers of a row without one, the oldest becomes its server.
  const servers = [...listed.values()].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  const actions = servers.flatMap((server): SweepAction[] => {
    const owner = byServer.get(server.id);
    if (!isOwned(server, facts.instanceId)) {
      return owner && server.owner ? [{ kind: 'foreign', row: owner, server }] : [];
    }
    if (owner) return [{ kind: 'known', row: owner, server }];
    const row = rows.get(server.owner.provisioningId);
    if (row) return forRow(row, server, taken);
    return [{ kind: kindWithoutRow(server.owner, facts), server }];
  });
  const missing = facts.rows.filter((row) => isMissing(row, listed, facts.listedAt));
  return [...actions, ...byAge(missing).map((row): SweepAction => ({ kind: 'missing', row }))];
}

function kindWithoutRow({ provisioningId }: OwnerTag, { buried, abandoned }: SweepFacts) {
  if (buried.has(provisioningId)) return 'late';
  return abandoned.has(provisioningId) ? 'abandoned' : 'orphan';
}

/** @param taken rows that got a server already: the others are surplus at the next sweep */
function forRow(row: SweptRow, server: OwnedServer, taken: Set<string>): SweepAction[] {
  if (SEARCHING_PHASES.includes(row.phase)) return [{ kind: 'left-to-step', row, server }];
  const { attempt } = server.owner;
  if (attempt > row.attempt) return [{ kind: 'ahead', row, server }];
  // What is going away needs nothing, and is no server to have.
  if (server.status === 'deleting') return [];
  if (row.serverId !== null || attempt < row.attempt) return [{ kind: 'surplus', row, server }];
  if (taken.has(row.id)) return [];
  taken.add(row.id);
  return [{ kind: 'take', row, server }];
}

function isOwned(server: CloudServer, instanceId: string): server is OwnedServer {
  return server.owner?.instanceId === instanceId;
}

function isMissing(row: SweptRow, listed: ReadonlyMap<string, CloudServer>, listedAt: Date): boolean {
  if (!row.serverId || listed.has(row.serverId) || !SWEPT_PHASES.includes(row.phase)) return false;
  return listedAt.getTime() - (row.serverCreatedAt ?? row.createdAt).getTime() >= YOUNG_MS;
}

/** Those first that were not heard of for the longest time, so that each gets its turn. */
function byAge(rows: readonly SweptRow[]): SweptRow[] {
  const age = ({ observedAt }: SweptRow) => observedAt?.getTime() ?? 0;
  return [...rows].sort((a, b) => age(a) - age(b));
}
