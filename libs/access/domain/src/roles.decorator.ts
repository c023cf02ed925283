import type { Role } from '@agent-controller/kernel';
import { RouteConfig } from '@nestjs/platform-fastify';

/** What a route declares of itself; it stands in the route's configuration at the HTTP server. */
export interface RouteAccess {
  /** The least role that may call it; `public`: anybody, without credentials. */
  role: Role | 'public';
  /** Whether it changes anything, and so leaves a line in the audit trail. By its method when absent. */
  changes?: boolean;
}

/**
 * The least role that may call a handler, or all handlers of a controller that declare none themselves. The controller
 * does not start while a route has none.
 */
export function Roles(role: Role, more: Pick<RouteAccess, 'changes'> = {}): ClassDecorator & MethodDecorator {
  return declare({ role, ...more });
}

/** Anybody may call it: it checks credentials itself, or tells nothing. */
export function Public(): ClassDecorator & MethodDecorator {
  return declare({ role: 'public' });
}

const DECLARED = new WeakSet<object>();

function declare(access: RouteAccess): ClassDecorator & MethodDecorator {
  const decorate = (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (descriptor && key !== undefined) {
      DECLARED.add(descriptor.value as object);
      RouteConfig({ access })(target, key, descriptor);
      return;
    }
    // Methods are decorated before their class: what they declared themselves stays.
    const prototype = (target as { prototype: object }).prototype;
    for (const [name, method] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === 'constructor' || typeof method.value !== 'function' || DECLARED.has(method.value)) continue;
      RouteConfig({ access })(prototype, name, method);
    }
  };
  return decorate as ClassDecorator & MethodDecorator;
}
