import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Faults } from './faults';
import type { Project, ProviderName } from './project';
import { tokenHash } from './project';
import type { World } from './world';

const MAX_REQUESTS = 5_000;

export interface ProviderRequest extends FastifyRequest {
  project: Project;
  fault?: Fault;
}

/** How a provider answers what does not get past its door. */
export interface Door {
  provider: ProviderName;
  prefix: string;
  refillPerSecond: number;
  headers(project: Project): Record<string, string>;
  unauthorized(reply: FastifyReply, reason: 'token' | 'read-only'): FastifyReply;
  rateLimited(reply: FastifyReply): FastifyReply;
}

/** What every call of a provider's API goes through: token, budget, ordered faults, and the log of requests. */
export function addGate(app: FastifyInstance, world: World, faults: Faults, door: Door): void {
  // Clients send `Content-Type: application/json` with calls that have no body as well.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('onRequest', async (request, reply) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!token || world.revoked.has(token)) return door.unauthorized(reply, 'token');
    const asked = request as ProviderRequest;
    asked.project = world.project(door.provider, token);
    const path = (request.url.split('?')[0] ?? '').slice(door.prefix.length);
    const fault = faults.take({ provider: door.provider, token, method: request.method, path });
    asked.fault = fault;
    if (fault?.delayMs) await sleep(fault.delayMs);
    void reply.headers(door.headers(asked.project));
    if (fault?.status !== undefined) {
      const { body = '', headers = {} } = fault;
      const type = typeof body === 'string' ? 'text/html' : 'application/json';
      return reply
        .status(fault.status)
        .headers({ 'content-type': type, ...headers })
        .send(typeof body === 'string' ? body : JSON.stringify(body));
    }
    if (!asked.project.spend(door.refillPerSecond)) return door.rateLimited(reply);
    if (world.readOnly.has(token) && request.method !== 'GET') return door.unauthorized(reply, 'read-only');
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if ((request as ProviderRequest).fault?.dropAnswer) request.raw.socket.destroy();
    return reply.raw.destroyed ? undefined : payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const { method, url } = request;
    world.requests.push({
      at: new Date().toISOString(),
      provider: door.provider,
      tokenHash: tokenHash(token),
      method,
      path: url,
      status: reply.statusCode,
    });
    if (world.requests.length > MAX_REQUESTS) world.requests.shift();
    world.log(`${method} ${url} ${reply.statusCode}`);
  });
}
