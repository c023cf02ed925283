import { Agent } from 'node:https';

/**
 * Connections to a provider, verified by the web PKI: TLS 1.2 or newer, whatever Node was started with. Otherwise as
 * Node's own agent, which keeps those that nobody uses for 5 s.
 */
export function providerAgent(): Agent {
  return new Agent({ minVersion: 'TLSv1.2', keepAlive: true, scheduling: 'lifo', timeout: 5_000 });
}

/** Longer than any answer of a provider: pages have 200 entries at most. */
export const MAX_ANSWER_BYTES = 32 * 1_048_576;
