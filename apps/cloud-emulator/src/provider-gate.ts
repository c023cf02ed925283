import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { brokenAnswer, brokenBody, hang } from './broken-answer';
import { effectOf, type Fault, type Faults } from './faults';
import type { Project, ProviderName } from './project';
import { tokenHash } from './project';
import type { World } from './world';

const MAX_REQUESTS = 20_000;

export interface ProviderRequest extends FastifyRequest {
  project: Project;
  fault?: Fault;
}

/** How a provider answers what does not get past its door. */
export interface Door {
  provider: ProviderName;
  prefix: string;
  refillPerSecond: number;
  /** On every answer; without a project where the token is none. */
  headers(project?: Project): Record<string, string>;
  unauthorized(reply: FastifyReply, reason: 'token' | 'read-only'): FastifyReply;
  rateLimited(reply: FastifyReply): FastifyReply;
  /** Any of its errors, in its own form. */
  refusal(code: string, message: string, requestId?: string): { status: number; body: object };
  /** A limit besides the budget: the seconds to wait, or 0. */
  burst?(project: Project, method: string, path: string): number;
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
    const token = tokenOf(request);
    if (!token || world.revoked.has(token)) {
      return door.unauthorized(reply.headers(door.headers()), 'token');
    }
    const asked = request as ProviderRequest;
    const { method } = request;
    asked.project = world.visibleProject(door.provider, token);
    const path = (request.url.split('?')[0] ?? '').slice(door.prefix.length);
    const fault = faults.take({ provider: door.provider, token, method, path });
    asked.fault = fault;
    if (fault?.delayMs) await sleep(fault.delayMs);
    asked.project.raiseBudget(world.settings.budgetFactor);
    const isAffordable = asked.project.spend(door.refillPerSecond);
    void reply.headers(door.headers(asked.project));
    if (fault && effectOf(fault) === 'before') {
      if (fault.hang) await hang(request, fault);
      if (fault.hang || fault.dropAnswer) return cut(world, door, request, reply);
      const broken = brokenAnswer(fault, door, reply);
      if (broken) return reply.status(broken.status).headers(broken.headers).send(broken.payload);
    }
    if (!isAffordable) return door.rateLimited(reply);
    const waitSeconds = door.burst?.(asked.project, method, path) ?? 0;
    if (waitSeconds > 0) return door.rateLimited(reply.header('retry-after', String(waitSeconds)));
    if (world.readOnly.has(token) && method !== 'GET') return door.unauthorized(reply, 'read-only');
  });
  // Before the answer leaves: who saw it, or lost it, finds its record. `onResponse` may not come for a lost one.
  app.addHook('onSend', async (request, reply, payload) => {
    const { fault } = request as ProviderRequest;
    const isAfter = fault && effectOf(fault) === 'after';
    const broken = isAfter ? brokenAnswer(fault, door, reply) : null;
    if (broken) void reply.status(broken.status).headers(broken.headers);
    record(world, door.provider, request, reply.statusCode);
    if (isAfter && fault.hang) await hang(request, fault);
    if (isAfter && (fault.hang || fault.dropAnswer)) request.raw.socket.destroy();
    if (reply.raw.destroyed) return undefined;
    return brokenBody(broken ? broken.payload : payload, fault, reply);
  });
}

/** Ends the connection without an answer and without having done anything. */
function cut(world: World, { provider }: Door, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  record(world, provider, request, 0);
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

function record(world: World, provider: ProviderName, request: FastifyRequest, status: number): void {
  const { method, url } = request;
  const isDropped = (request as ProviderRequest).fault?.dropAnswer === true;
  world.requests.push({
    at: new Date().toISOString(),
    provider,
    tokenHash: tokenHash(tokenOf(request) ?? ''),
    method,
    path: url,
    status,
    isDropped,
  });
  if (world.requests.length > MAX_REQUESTS) world.requests.shift();
  world.log(`${method} ${url} ${status}${isDropped ? ' (the answer is dropped)' : ''}`);
}

function tokenOf(request: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
