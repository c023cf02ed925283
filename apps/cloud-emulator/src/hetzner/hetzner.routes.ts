import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { orderedTrouble, type Faults } from '../faults';
import type { Project, ServerRecord } from '../project';
import { addGate, type ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { handleError, hetznerError, hetznerRefusal } from './hetzner.errors';
import { addCatalogueRoutes } from './hetzner-catalogue.routes';
import { addResourceRoutes } from './hetzner-resource.routes';
import { checkServerName, readLabels, readOrder } from './hetzner-order';
import { page } from './hetzner-page';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { actionView, serverView, statusOf } from './hetzner.views';
import { matchesSelector } from './label-selector';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;

/** `/hetzner/v1/…` */
export function hetznerRoutes(world: World, faults: Faults, prefix: string) {
  return async (app: FastifyInstance): Promise<void> => {
    addGate(app, world, faults, {
      provider: 'hetzner',
      prefix,
      refillPerSecond: 1,
      headers: (project) => ({ 'x-correlation-id': randomUUID(), ...(project ? rateLimit(project) : {}) }),
      unauthorized: (reply, reason) =>
        reason === 'read-only'
          ? hetznerError(reply, 'token_readonly', 'token is only allowed to perform GET requests')
          : hetznerError(reply, 'unauthorized', 'unable to authenticate'),
      refusal: (code, message) => hetznerRefusal(code, message),
      rateLimited: (reply) => hetznerError(reply, 'rate_limit_exceeded', 'limit of 3600 requests per hour reached'),
    });
    app.setNotFoundHandler((_request, reply) => hetznerError(reply, 'not_found', 'not found'));
    app.setErrorHandler((error: Error, _request, reply) => handleError(error, reply));
    addCatalogueRoutes(app);
    addServerRoutes(app, world);
    addResourceRoutes(app, world);
  };
}

/** The budget is full again when what is missing has come back, one a second. */
function rateLimit({ budget, budgetLimit }: Project): Record<string, string> {
  return {
    'ratelimit-limit': String(budgetLimit),
    'ratelimit-remaining': String(Math.max(0, Math.floor(budget))),
    'ratelimit-reset': String(Math.ceil(Date.now() / 1000 + (budgetLimit - budget))),
  };
}

function addServerRoutes(app: FastifyInstance, world: World): void {
  app.get('/servers', (request) => {
    const { project } = request as ProviderRequest;
    const { name, label_selector: selector, status, sort } = request.query as Query;
    const found = project
      .listed()
      .filter(
        (server) =>
          (name === undefined || server.name === name) &&
          (selector === undefined || matchesSelector(server.labels, selector)) &&
          (status === undefined || statusOf(server) === status),
      );
    if (sort?.endsWith(':desc')) found.reverse();
    return page('servers', found, request.query as Query, serverView);
  });
  app.get<ById>('/servers/:id', (request) => ({ server: serverView(findServer(request)) }));
  app.put<ById>('/servers/:id', (request) => {
    const server = findServer(request);
    const { name, labels } = (request.body ?? {}) as { name?: unknown; labels?: unknown };
    const changed = labels === undefined ? server.labels : readLabels(labels);
    if (name !== undefined && name !== server.name) server.name = checkServerName(projectOf(request), name);
    server.labels = changed;
    return { server: serverView(server) };
  });
  app.get<ById>('/servers/:id/actions', (request) => {
    const server = findServer(request);
    const actions = [...projectOf(request).actions.values()].filter((action) => action.server === server);
    return page('actions', actions.map(actionView), request.query as Query);
  });
  app.post('/servers', (request, reply) => reply.status(201).send(createServer(world, request as ProviderRequest)));
  app.delete<ById>('/servers/:id', (request) => {
    const server = findServer(request);
    const project = projectOf(request);
    world.deleteServer(project, server, (request as unknown as ProviderRequest).fault);
    const isGone = () => (project.servers.has(server.id) ? 'running' : 'done');
    return { action: actionView(world.addAction(project, 'delete_server', server, isGone)) };
  });
}

function createServer(world: World, { project, fault, body }: ProviderRequest): object {
  const { userData, ...facts } = readOrder(project, body, world.settings.serverLimit);
  const order = { userData, acceptsBase64: true, ...orderedTrouble(fault) };
  const server = world.createServer(project, { ...facts, tags: [] }, order);
  world.hide(server, fault);
  // Its name would be refused; who was called so at that moment is not told.
  if (fault?.duplicate) world.createServer(project, { ...facts, name: `${facts.name}-again`, tags: [] }, order);
  if (fault?.vanish) setTimeout(() => world.vanish(project, server), 0);
  const state = () => (server.isVanished ? 'failed' : server.machine.life === 'booting' ? 'running' : 'done');
  return {
    server: serverView(server),
    action: actionView(world.addAction(project, 'create_server', server, state)),
    next_actions: [actionView(world.addAction(project, 'start_server', server, state))],
    // With a key no password is made, and none is mailed.
    root_password: facts.sshKeyIds.length > 0 ? null : 'generated-and-mailed',
  };
}

function projectOf(request: FastifyRequest<ById>): Project {
  return (request as unknown as ProviderRequest).project;
}

/** @throws HetznerRefusalError */
function findServer(request: FastifyRequest<ById>): ServerRecord {
  const { id } = request.params;
  if (!/^\d{1,16}$/.test(id)) throw HetznerRefusalError.invalidInput('id', 'must be a number');
  const server = projectOf(request).find(Number(id));
  if (!server) throw new HetznerRefusalError('not_found', `server with ID '${id}' not found`);
  return server;
}
