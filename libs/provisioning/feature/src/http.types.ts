import type { AuthenticatedRequest } from '@agent-controller/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';

export type Request = FastifyRequest & AuthenticatedRequest;
export type Reply = FastifyReply;

/** Aborts when the caller is gone. */
export function callerGone(reply: Reply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => {
    // Node would keep its half of the connection for the keep-alive time.
    if (!reply.raw.writableFinished) reply.request.raw.socket.destroy();
    abort.abort();
  });
  return abort.signal;
}
