import { withTimeLimit } from '@agent-controller/kernel';
import { request } from 'node:https';
import type { AgentTarget } from './agent-target';
import { ConnectionLimit } from './connection-limit';
import { PinnedAgent } from './pinned-connection';

const TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 65_536;

/** All connections of this process to agents, whoever makes them. Its size comes with the workflow's options. */
export const agentConnections = new ConnectionLimit(50);

export interface AgentAnswer {
  status: number;
  body: string;
}

/**
 * One GET to an agent-manager over the pinned connection, as soon as fewer than `AGENT_CONNECTIONS` are open.
 * @throws Error whose message says, for people, why there was no answer; it never holds a credential
 */
export async function getFromAgent(
  target: AgentTarget,
  path: string,
  signal: AbortSignal,
  authorization?: string,
): Promise<AgentAnswer> {
  try {
    return await agentConnections.run(signal, () => get(target, path, signal, authorization));
  } catch (error) {
    throw readable(error as Error);
  }
}

/** The time limit begins here: having waited for one's turn says nothing about the agent. */
async function get(
  target: AgentTarget,
  path: string,
  signal: AbortSignal,
  authorization: string | undefined,
): Promise<AgentAnswer> {
  const limited = withTimeLimit(TIMEOUT_MS, signal);
  const agent = new PinnedAgent(target.spkiSha256, limited);
  try {
    return await new Promise<AgentAnswer>((resolve, reject) => {
      const outgoing = request(new URL(path, target.endpoint), {
        agent,
        servername: target.serverName,
        signal: limited,
        headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MAX_BODY_BYTES) outgoing.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      outgoing.end();
    });
  } finally {
    agent.destroy();
  }
}

function readable(error: Error & { code?: string }): Error {
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || error.code === 'ABORT_ERR') {
    return new Error(`no answer within ${TIMEOUT_MS / 1000} s`);
  }
  return new Error(error.code ? `${error.code}` : error.message);
}
