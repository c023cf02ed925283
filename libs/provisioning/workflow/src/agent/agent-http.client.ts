import { TimeLimit } from '@agent-controller/kernel';
import {
  exchange,
  OutboundRefusedError,
  pinnedLookup,
  type OutboundAnswer,
  type OutboundGuard,
} from '@agent-controller/outbound';
import type { AgentTarget } from './agent-target';
import { ConnectionLimit } from './connection-limit';
import { PinnedAgent } from './pinned-connection';

const TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 65_536;

/** All connections of this process to agents, whoever makes them. Its size comes with the workflow's options. */
export const agentConnections = new ConnectionLimit(50);

export type AgentAnswer = Pick<OutboundAnswer, 'status' | 'body'>;

/**
 * Calls an agent-manager as often as is needed over one pinned connection, as soon as fewer than `AGENT_CONNECTIONS` are
 * open.
 * @throws Error whose message says, for people, why there was no answer; it never holds a credential
 */
export async function visitAgent<T>(
  guard: OutboundGuard,
  target: AgentTarget,
  signal: AbortSignal,
  work: (visit: AgentVisit) => Promise<T>,
): Promise<T> {
  try {
    return await agentConnections.run(signal, async () => {
      const visit = new AgentVisit(guard, target, signal);
      try {
        return await work(visit);
      } finally {
        visit.end();
      }
    });
  } catch (error) {
    throw readable(error as Error);
  }
}

/** One visit, one connection: its key is compared when it is made. */
export class AgentVisit {
  readonly #limit: TimeLimit;
  readonly #agent: PinnedAgent;
  #isReused = false;

  constructor(
    private readonly guard: OutboundGuard,
    private readonly target: AgentTarget,
    signal: AbortSignal,
  ) {
    this.#limit = new TimeLimit(signal);
    this.#agent = new PinnedAgent(target.spkiSha256, this.#limit.signal);
  }

  /** @throws Error of Node, or of the guard */
  async get(path: string, authorization?: string): Promise<AgentAnswer> {
    try {
      return await this.getOnce(path, authorization);
    } catch (error) {
      // The server may have closed it in the moment in which it was used again; that says nothing.
      const isStale =
        this.#isReused && (error as { code?: string }).code === 'ECONNRESET' && !this.#limit.signal.aborted;
      if (!isStale) throw error;
      return this.getOnce(path, authorization);
    } finally {
      this.#isReused = true;
    }
  }

  end(): void {
    this.#agent.destroy();
    this.#limit.end();
  }

  /** The time limit begins here: having waited for one's turn says nothing about the agent. */
  private async getOnce(path: string, authorization: string | undefined): Promise<AgentAnswer> {
    const { signal } = this.#limit;
    this.#limit.set(TIMEOUT_MS);
    try {
      const url = new URL(path, this.target.endpoint);
      const addresses = await this.guard.resolve(url, 'own-server', signal);
      const { status, body } = await exchange(
        url,
        {
          agent: this.#agent,
          lookup: pinnedLookup(addresses),
          servername: this.target.serverName,
          signal,
          headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
        },
        '',
        MAX_BODY_BYTES,
      );
      return { status, body };
    } finally {
      this.#limit.lift();
    }
  }
}

/** What an error says, for people. */
export function readable(error: Error & { code?: string }): Error {
  if (error instanceof OutboundRefusedError) return new Error(`it is not called: ${error.message}`);
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || error.code === 'ABORT_ERR') {
    return new Error(`no answer within ${TIMEOUT_MS / 1000} s`);
  }
  return new Error(error.code ? `${error.code}` : error.message);
}
