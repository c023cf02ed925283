import type { AuthenticatedRequest } from '@agent-controller/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';

export type Request = FastifyRequest & AuthenticatedRequest;
export type Reply = FastifyReply;

/** Aborts when the caller is gone. */
export function callerGone(request: Request): AbortSignal {
  const abort = new AbortController();
  request.raw.socket.once('close', () => abort.abort());
  return abort.signal;
}
