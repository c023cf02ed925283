import { startSpan, traceParentOf, withinSpan, type Span } from '@agent-controller/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const spans = new WeakMap<FastifyRequest, Span>();
/** Asked all the time by machines, and of no interest. */
const SILENT = /^\/(metrics|api\/health)(\/|$)/;

/**
 * A span for each call that got as far as being validated: whoever has no key makes none. Who has one may bring the
 * trace that it belongs to.
 */
export function traceRequests(fastify: FastifyInstance): void {
  // After the body was read: its events come outside of what is under way. By callback, so that the rest happens within.
  fastify.addHook('preValidation', (request, reply, done) => {
    const { method, routeOptions, identity, headers, params, id } = request;
    const route = routeOptions.url ?? 'unknown';
    if (request.is404 || SILENT.test(route)) return done();
    const clientId = (params as { id?: unknown }).id;
    const span = startSpan(`${method} ${route}`, {
      kind: 'server',
      parent: identity ? traceParentOf(headers['traceparent']) : null,
      startedAt: new Date(Date.now() - reply.elapsedTime),
      attributes: {
        'http.request.method': method,
        'http.route': route,
        'request.id': id,
        'client.id': typeof clientId === 'string' && clientId.length === 36 ? clientId : undefined,
      },
    });
    if (span) spans.set(request, span);
    withinSpan(span, done);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': reply.statusCode });
    if (reply.statusCode >= 500) span?.fail();
    span?.end();
  });
}

/** The trace of a call, for its line in the log. */
export function traceParentOfRequest(request: FastifyRequest): string | undefined {
  return spans.get(request)?.traceParent;
}
