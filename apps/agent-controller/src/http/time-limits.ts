import type { Env } from '../env';

/**
 * How long a caller may take to send a request: who sends a byte now and then (slow loris) must not hold connections.
 * Nothing limits how long an answer takes: streams of events and `Prefer: wait` last for minutes.
 */
export function timeLimits({ HEADERS_TIMEOUT_SECONDS, REQUEST_TIMEOUT_SECONDS }: Env) {
  const requestTimeout = REQUEST_TIMEOUT_SECONDS * 1000;
  const headersTimeout = Math.min(HEADERS_TIMEOUT_SECONDS * 1000, requestTimeout);
  return {
    // Fastify sets this one on the server that it makes; Node takes the others at its making only.
    requestTimeout,
    http: { headersTimeout, requestTimeout, connectionsCheckingInterval: Math.min(5_000, headersTimeout) },
  };
}
