import { withTimeLimit } from '@agent-controller/kernel';
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
 * One GET to an agent-manager over the pinned connection, as soon as fewer than `AGENT_CONNECTIONS` are open.
 * @throws Error whose message says, for people, why there was no answer; it never holds a credential
 */
export async function getFromAgent(
  guard: OutboundGuard,
  target: AgentTarget,
  path: string,
  signal: AbortSignal,
  authorization?: string,
): Promise<AgentAnswer> {
  try {
    return await agentConnections.run(signal, () => get(guard, target, path, signal, authorization));
  } catch (error) {
    throw readable(error as Error);
  }
}

/** The time limit begins here: having waited for one's turn says nothing about the agent. */
async function get(
  guard: OutboundGuard,
  target: AgentTarget,
  path: string,
  signal: AbortSignal,
  authorization: string | undefined,
): Promise<AgentAnswer> {
  const limited = withTimeLimit(TIMEOUT_MS, signal);
  const agent = new PinnedAgent(target.spkiSha256, limited);
  try {
    const url = new URL(path, target.endpoint);
    const addresses = await guard.resolve(url, 'own-server', limited);
    const { status, body } = await exchange(
      url,
      {
        agent,
        lookup: pinnedLookup(addresses),
        servername: target.serverName,
        signal: limited,
        headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
      },
      '',
      MAX_BODY_BYTES,
    );
    return { status, body };
  } finally {
    agent.destroy();
  }
}

function readable(error: Error & { code?: string }): Error {
  if (error instanceof OutboundRefusedError) return new Error(`it is not called: ${error.message}`);
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || error.code === 'ABORT_ERR') {
    return new Error(`no answer within ${TIMEOUT_MS / 1000} s`);
  }
  return new Error(error.code ? `${error.code}` : error.message);
}
