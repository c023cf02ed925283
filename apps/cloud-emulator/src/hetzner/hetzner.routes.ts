import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Faults } from '../faults';
import type { ServerRecord } from '../project';
import { addGate, type ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { IMAGES, LOCATIONS, SERVER_TYPES } from './hetzner.catalogue';
import { hetznerError, invalid } from './hetzner.errors';
import { addResourceRoutes } from './hetzner-resource.routes';
import { checkOrder, type CreateServerBody } from './hetzner-order';
import { page } from './hetzner-page';
import { actionView, imageView, pricingView, serverTypeView, serverView } from './hetzner.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;

/** `/hetzner/v1/…` */
export function hetznerRoutes(world: World, faults: Faults, prefix: string) {
  return async (app: FastifyInstance): Promise<void> => {
    addGate(app, world, faults, {
      provider: 'hetzner',
      prefix,
      refillPerSecond: 1,
      headers: ({ budget, budgetLimit }) => ({
        'ratelimit-limit': String(budgetLimit),
        'ratelimit-remaining': String(Math.max(0, Math.floor(budget))),
        'ratelimit-reset': String(Math.ceil(Date.now() / 1000 + (budgetLimit - budget))),
        'x-correlation-id': randomUUID(),
      }),
      unauthorized: (reply, reason) =>
        reason === 'read-only'
          ? hetznerError(reply, 'token_readonly', 'token is only allowed to perform GET requests')
          : hetznerError(reply, 'unauthorized', 'unable to authenticate'),
      rateLimited: (reply) => hetznerError(reply, 'rate_limit_exceeded', 'limit of 3600 requests per hour reached'),
    });
    app.setNotFoundHandler((_request, reply) => hetznerError(reply, 'not_found', 'not found'));
    app.setErrorHandler((_error, _request, reply) => hetznerError(reply, 'json_error', 'invalid JSON input'));
    addCatalogueRoutes(app);
    addServerRoutes(app, world);
    addResourceRoutes(app, world);
  };
}

function addCatalogueRoutes(app: FastifyInstance): void {
  app.get('/server_types', (request) => page('server_types', SERVER_TYPES.map(serverTypeView), request.query as Query));
  app.get('/locations', (request) => page('locations', LOCATIONS, request.query as Query));
  app.get('/images', (request) =>
    page(
      'images',
      IMAGES.map(({ name }) => imageView(name)),
      request.query as Query,
    ),
  );
  app.get('/pricing', () => ({ pricing: pricingView() }));
  app.get('/datacenters', (_request, reply) =>
    hetznerError(reply, 'deprecated_api_endpoint', 'this endpoint was removed; use locations'),
  );
}

function addServerRoutes(app: FastifyInstance, world: World): void {
  app.get('/servers', (request) => {
    const { project } = request as ProviderRequest;
    const { name, label_selector: selector, status, sort } = request.query as Query;
    const found = [...project.servers.values()].filter(
      (server) =>
        (name === undefined || server.name === name) &&
        (selector === undefined || matches(server.labels, selector)) &&
        (status === undefined || serverView(server).status === status),
    );
    if (sort?.endsWith(':desc')) found.reverse();
    return page('servers', found.map(serverView), request.query as Query);
  });
  app.get<ById>('/servers/:id', (request, reply) =>
    withServer(request, reply, (server) => ({ server: serverView(server) })),
  );
  app.post<{ Body: CreateServerBody }>('/servers', (request, reply) => createServer(world, request, reply));
  app.delete<ById>('/servers/:id', (request, reply) =>
    withServer(request, reply, (server, { project }) => {
      world.deleteServer(project, server);
      return { action: actionView(world.nextId(), 'delete_server', { id: server.id, type: 'server' }, false) };
    }),
  );
}

function createServer(world: World, request: FastifyRequest<{ Body: CreateServerBody }>, reply: FastifyReply) {
  const { project, fault } = request as ProviderRequest;
  const { body } = request;
  const refusal = checkOrder(project, body ?? {}, reply);
  if (refusal) return refusal;
  const server = world.createServer(
    project,
    {
      name: body.name ?? '',
      typeId: typeName(body.server_type),
      locationId: body.location ?? 'nbg1',
      imageName: String(body.image),
      labels: body.labels ?? {},
      tags: [],
      sshKeyIds: (body.ssh_keys ?? []).map(Number),
    },
    { userData: body.user_data ?? '', acceptsBase64: true, bootFails: fault?.bootFailure === true },
  );
  if (fault?.vanish) setTimeout(() => project.servers.delete(server.id), 0);
  const resource = { id: server.id, type: 'server' };
  return reply.status(201).send({
    server: serverView(server),
    action: actionView(world.nextId(), 'create_server', resource, false),
    next_actions: [actionView(world.nextId(), 'start_server', resource, false)],
    // With a key no password is made, and none is mailed.
    root_password: (body.ssh_keys ?? []).length > 0 ? null : 'generated-and-mailed',
  });
}

function typeName(given: unknown): string {
  return SERVER_TYPES.find(({ id, name }) => name === given || id === Number(given))?.name ?? '';
}

function withServer(
  request: FastifyRequest<ById>,
  reply: FastifyReply,
  work: (server: ServerRecord, request: ProviderRequest) => object,
): object {
  const asked = request as unknown as ProviderRequest;
  if (!/^\d{1,16}$/.test(request.params.id)) return invalid(reply, 'id', 'must be a number');
  const server = asked.project.servers.get(Number(request.params.id));
  return server
    ? work(server, asked)
    : hetznerError(reply, 'not_found', `server with ID '${request.params.id}' not found`);
}

/** The parts of Hetzner's label selectors that say "is" and "has". */
function matches(labels: Record<string, string>, selector: string): boolean {
  return selector.split(',').every((term) => {
    const [key = '', value] = term.split(/==?/).map((part) => part.trim());
    return value === undefined ? key in labels : labels[key] === value;
  });
}
