import { MAX_REDEMPTION_BYTES, MAX_REPORT_BYTES } from '@agent-controller/provisioning-workflow';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** 20 fields of 16 KB, escaped. */
const MAX_ORDER_BYTES = 2 * 1024 * 1024;
/** Three fields of 16 KB, escaped, and small ones. */
export const MAX_BODY_BYTES = 512 * 1024;

/** Of a body that is refused for its length so much is still taken off the wire, and thrown away. */
const MAX_DRAINED_BYTES = 16 * 1024 * 1024;

/** How large a body may be: by route, since most have little to say. */
export function limitBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    // Anyone may post there until the token was compared.
    if (route.url.startsWith('/api/provisioning/callbacks')) route.bodyLimit = MAX_REPORT_BYTES;
    if (route.url.startsWith('/api/provisioning/bootstrap')) route.bodyLimit = MAX_REDEMPTION_BYTES;
    if (/^\/api\/clients\/provisioning\/(provision|preview)$/.test(route.url)) route.bodyLimit = MAX_ORDER_BYTES;
  });
}

/**
 * For the answer to a body that is too long. Fastify would close the connection with it, so that who still sends would see a
 * broken pipe in place of the answer (RFC 9112, 9.6). While the connection stays, Node drains it.
 */
export function drainBody(request: FastifyRequest, reply: FastifyReply): void {
  if (Number(request.headers['content-length']) <= MAX_DRAINED_BYTES) reply.removeHeader('connection');
}
