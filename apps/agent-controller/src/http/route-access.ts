import type { Identity, RouteAccess } from '@agent-controller/access';
import type { Logger } from '@agent-controller/kernel';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { isDocumentationRoute } from './documentation';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, once that is known, whether they may or not. Handlers take `caller`. */
    identity?: Identity;
  }
  interface FastifyContextConfig {
    /** What the route declares by `@Roles` or `@Public`. */
    access?: RouteAccess;
  }
}

/** A route as it is registered. */
export interface DeclaredRoute extends RouteAccess {
  method: string;
  url: string;
}

/** What the called route declares; undefined: there is no such route. */
export function accessOf(request: FastifyRequest): RouteAccess | undefined {
  return request.is404 ? undefined : (request.routeOptions.config.access ?? { role: 'admin' });
}

/** Whether a call may change anything. */
export function isChange(request: FastifyRequest): boolean {
  return accessOf(request)?.changes ?? !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
}

/**
 * Looks at each route that is registered from now on. The server does not get ready while one declares no role: what is
 * forgotten must not be open.
 */
export function requireDeclaredRoutes(fastify: FastifyInstance, logger: Logger): void {
  const routes: DeclaredRoute[] = [];
  const undeclared: string[] = [];
  fastify.addHook('onRoute', (route) => {
    const access = declared(route);
    for (const method of [route.method].flat()) {
      if (access) routes.push({ method, url: route.url, ...access });
      else undeclared.push(`${method} ${route.url}`);
    }
  });
  fastify.addHook('onReady', async () => {
    if (undeclared.length > 0) {
      throw new Error(`Routes without @Roles or @Public: ${undeclared.join(', ')}`);
    }
    logger.debug({ routes }, 'routes');
  });
}

/** Swagger and CORS register routes of their own, without decorators. */
function declared(route: RouteOptions): RouteAccess | undefined {
  const config = (route.config ??= {});
  if (isDocumentationRoute(route.url)) config.access ??= { role: 'viewer' };
  // Preflights carry no credentials; @fastify/cors answers them.
  if (route.method === 'OPTIONS' && route.url === '*') config.access ??= { role: 'public' };
  return config.access;
}
