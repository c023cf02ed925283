import type { FastifyReply } from 'fastify';

const STATUS: Record<string, number> = {
  json_error: 400,
  unauthorized: 401,
  token_readonly: 401,
  resource_limit_exceeded: 403,
  not_found: 404,
  uniqueness_error: 409,
  conflict: 409,
  deprecated_api_endpoint: 410,
  resource_unavailable: 412,
  invalid_input: 422,
  rate_limit_exceeded: 429,
};

export function hetznerError(
  reply: FastifyReply,
  code: string,
  message: string,
  details: unknown = null,
): FastifyReply {
  return reply.status(STATUS[code] ?? 500).send({ error: { code, message, details } });
}

export function invalid(reply: FastifyReply, field: string, message: string): FastifyReply {
  return hetznerError(reply, 'invalid_input', `invalid input in field '${field}'`, {
    fields: [{ name: field, messages: [message] }],
  });
}
