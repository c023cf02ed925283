import type { FastifyReply } from 'fastify';
import { HetznerRefusalError } from './hetzner-refusal.error';

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
  resource_in_use: 422,
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

/** Refusals as they are, bodies that cannot be read as `json_error`, and anything else as a fault of the emulator. */
export function handleError(error: Error & { statusCode?: number }, reply: FastifyReply): FastifyReply {
  if (error instanceof HetznerRefusalError) return hetznerError(reply, error.code, error.message, error.details);
  const isBody = error instanceof SyntaxError || (error.statusCode ?? 500) < 500;
  return isBody
    ? hetznerError(reply, 'json_error', 'invalid JSON input')
    : hetznerError(reply, 'server_error', `the emulator failed: ${error.message}`);
}
