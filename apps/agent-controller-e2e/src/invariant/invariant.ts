import { serverOwner, type ServerOwner } from './server-owner';

/** A server as the emulator knows it, whatever the provider's answers say at the moment. */
export interface SeenServer {
  id: string;
  provider: string;
  labels: Record<string, string>;
  tags: string[];
  life: string;
  /** In a project that the configured token does not see. */
  isElsewhere?: boolean;
}

/** A server that was ordered once. */
export interface PastServer extends Omit<SeenServer, 'life'> {
  deletedAt: string | null;
  /** Until then no answer of the provider knew of it: nobody could wait for its end. */
  hiddenUntil: string | null;
}

export interface SeenRow {
  id: string;
  provider: string;
  phase: string;
  intent: string;
  serverId: string | null;
  serverStatus: string | null;
  errorCode?: string | null;
}

/** Everything that the invariant speaks of, read when nothing is under way. */
export interface InvariantState {
  instanceId: string;
  servers: SeenServer[];
  history: PastServer[];
  rows: SeenRow[];
  /** Provisionings whose deletion is remembered, so that a late server of theirs is still destroyed. */
  tombstones: string[];
  /** Server ids that are reported to a person, or were given up by one. */
  reported: string[];
  /** Provisioning id, and when its log ended with `deleted`. */
  deletions: { provisioningId: string; at: string }[];
}

export interface InvariantOptions {
  /** Servers that a person removed at the provider: their rows may still name them. */
  removedByHand?: string[];
  /** Whether the sweep may still have work: then servers of tombstones may be there. */
  isWorking?: boolean;
}

const PHASES_WITH_SERVER = ['booting', 'installing', 'starting', 'ready'];

type Owned = SeenServer & { owner: ServerOwner };

/**
 * The promise of issue 4, as far as it can be seen from outside: every server of ours belongs to exactly one row or
 * tombstone, every row in a phase with a server has exactly one, and rows go after servers.
 * @returns one sentence for each violation
 */
export function violations(state: InvariantState, options: InvariantOptions = {}): string[] {
  const owned = state.servers
    .filter(({ life }) => life !== 'deleting')
    .flatMap((server): Owned[] => {
      const owner = serverOwner(server);
      return owner?.instanceId === state.instanceId ? [{ ...server, owner }] : [];
    });
  return [
    ...owned.flatMap((server) => strays(server, state, options)),
    ...state.rows.flatMap((row) => rowProblems(row, owned, state, options)),
    ...earlyBurials(state),
  ];
}

/** A server that nobody would ever delete. */
function strays({ id, owner }: Owned, { rows, tombstones, reported }: InvariantState, options: InvariantOptions) {
  const row = rows.find((each) => each.id === owner.provisioningId);
  const name = `server ${id} of provisioning ${owner.provisioningId}, attempt ${owner.attempt},`;
  if (row || reported.includes(id)) return [];
  if (!tombstones.includes(owner.provisioningId)) return [`${name} belongs to no row and no tombstone`];
  return options.isWorking ? [] : [`${name} still exists, and its row is gone`];
}

function rowProblems(row: SeenRow, owned: Owned[], state: InvariantState, options: InvariantOptions): string[] {
  const mine = owned.filter(
    ({ owner, isElsewhere }) => owner.provisioningId === row.id && !(isElsewhere && saysWrongProject(row)),
  );
  const name = `row ${row.id} (${row.phase}, wants ${row.intent})`;
  const others = state.rows.filter(
    ({ id, serverId, provider }) => id < row.id && serverId === row.serverId && provider === row.provider,
  );
  const problems = others
    .filter(() => row.serverId !== null)
    .map(({ id }) => `${name} has server ${row.serverId}, and so has row ${id}`);
  if (mine.length > 1) problems.push(`${name} has ${mine.length} servers: ${mine.map(({ id }) => id).join(', ')}`);
  if (!PHASES_WITH_SERVER.includes(row.phase)) return problems;
  if (row.serverId === null) return [...problems, `${name} has no server id`];
  const isExcused = row.serverStatus === 'lost' || options.removedByHand?.includes(row.serverId);
  if (!mine.some(({ id }) => id === row.serverId) && !isExcused) {
    problems.push(`${name} has server ${row.serverId}, which does not exist or is another's`);
  }
  return problems;
}

/** It tells its caller that a server may run where the token does not see it: nobody could put that right from here. */
const saysWrongProject = ({ phase, errorCode }: SeenRow): boolean =>
  phase === 'failed' && errorCode === 'wrong-project';

/** Rows that went before their servers had gone. */
function earlyBurials({ instanceId, deletions, history, reported }: InvariantState): string[] {
  return deletions.flatMap(({ provisioningId, at }) =>
    history
      .filter((server) => {
        const owner = serverOwner(server);
        return owner?.instanceId === instanceId && owner.provisioningId === provisioningId;
      })
      .filter(({ id, deletedAt }) => (deletedAt === null || deletedAt > at) && !reported.includes(id))
      .filter(({ hiddenUntil }) => hiddenUntil === null || hiddenUntil <= at)
      .map(
        ({ id, deletedAt }) =>
          `provisioning ${provisioningId} was said to be gone at ${at}; its server ${id} ` +
          (deletedAt === null ? 'still exists' : `went at ${deletedAt}`),
      ),
  );
}
