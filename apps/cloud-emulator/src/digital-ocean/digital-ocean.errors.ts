import type { FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';

const STATUS: Record<string, number> = {
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unprocessable_entity: 422,
  too_many_requests: 429,
  server_error: 500,
};

export function digitalOceanError(reply: FastifyReply, id: string, message: string): FastifyReply {
  return reply.status(STATUS[id] ?? 500).send({ id, message, request_id: randomUUID() });
}

export function notFound(reply: FastifyReply): FastifyReply {
  return digitalOceanError(reply, 'not_found', 'The resource you were accessing could not be found.');
}

export function unprocessable(reply: FastifyReply, message: string): FastifyReply {
  return digitalOceanError(reply, 'unprocessable_entity', message);
}
