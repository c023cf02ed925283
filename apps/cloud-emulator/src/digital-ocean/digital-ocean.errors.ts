import type { FastifyReply } from 'fastify';
import { DigitalOceanRefusalError } from './digital-ocean-refusal.error';

const STATUS: Record<string, number> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unprocessable_entity: 422,
  too_many_requests: 429,
  server_error: 500,
};

/** An error in DigitalOcean's form, for an answer that is made elsewhere. */
export function digitalOceanRefusal(id: string, message: string, requestId?: string): { status: number; body: object } {
  return { status: STATUS[id] ?? 500, body: { id, message, request_id: requestId } };
}

export function digitalOceanError(reply: FastifyReply, id: string, message: string): FastifyReply {
  return reply.status(STATUS[id] ?? 500).send({ id, message, request_id: reply.getHeader('x-request-id') });
}

/** Refusals as they are, bodies that cannot be read as such, and anything else as a fault of the emulator. */
export function handleError(error: Error & { statusCode?: number }, reply: FastifyReply): FastifyReply {
  if (error instanceof DigitalOceanRefusalError) return digitalOceanError(reply, error.id, error.message);
  const isBody = error instanceof SyntaxError || (error.statusCode ?? 500) < 500;
  return isBody
    ? digitalOceanError(reply, 'bad_request', 'Invalid JSON')
    : digitalOceanError(reply, 'server_error', `The emulator failed: ${error.message}`);
}
