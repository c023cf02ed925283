import type { FastifyReply } from 'fastify';
import { HetznerRefusalError } from './hetzner-refusal.error';

const STATUS: Record<string, number> = {
  json_error: 400,
  unauthorized: 401,
  token_readonly: 401,
  forbidden: 403,
  maintenance: 403,
  resource_limit_exceeded: 403,
  not_found: 404,
  method_not_allowed: 405,
  uniqueness_error: 409,
  conflict: 409,
  deprecated_api_endpoint: 410,
  resource_unavailable: 412,
  invalid_input: 422,
  service_error: 422,
  unsupported_error: 422,
  resource_in_use: 422,
  must_be_unassigned: 422,
  locked: 423,
  protected: 423,
  rate_limit_exceeded: 429,
  server_error: 500,
  bad_gateway: 502,
  unavailable: 503,
  timeout: 504,
};

/** An error in Hetzner's form, for an answer that is made elsewhere. */
export function hetznerRefusal(code: string, message: string): { status: number; body: object } {
  return { status: STATUS[code] ?? 500, body: { error: { code, message, details: null } } };
}

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
