import { AppError } from '@agent-controller/kernel';
import type { FastifyInstance } from 'fastify';

/** Answers 405 with `Allow` where a path is known and the method is not; anything else unknown stays 404. */
export function refuseOtherMethods(fastify: FastifyInstance): void {
  const known: { path: RegExp; methods: string[] }[] = [];
  fastify.addHook('onRoute', ({ url, method }) => {
    // That of CORS: every path.
    if (url.includes('*')) return;
    known.push({ path: pattern(url), methods: [method].flat() });
  });
  fastify.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const path = request.url.split('?')[0] ?? '';
    const methods = [...new Set(known.flatMap((route) => (route.path.test(path) ? route.methods : [])))];
    // Somebody asks for it by a method that is there: it is for a reason of its own that there is no such call.
    if (methods.length === 0 || methods.includes(request.method)) return;
    const allowed = methods.sort().join(', ');
    void reply.header('allow', allowed);
    throw new AppError('method-not-allowed', `There is no ${request.method} of this path, but ${allowed}.`);
  });
}

function pattern(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
