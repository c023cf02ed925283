import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Faults } from '../faults';
import type { ServerRecord } from '../project';
import { addGate, type ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { IMAGES, REGIONS, SIZES } from './digital-ocean.catalogue';
import { addResourceRoutes } from './digital-ocean-resource.routes';
import { digitalOceanError, notFound } from './digital-ocean.errors';
import { checkOrder, type CreateDropletBody } from './digital-ocean-order';
import { page } from './digital-ocean-page';
import { actionView, dropletView, imageView, regionView } from './digital-ocean.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;

/** `/digitalocean/v2/…` */
export function digitalOceanRoutes(world: World, faults: Faults, prefix: string) {
  return async (app: FastifyInstance): Promise<void> => {
    addGate(app, world, faults, {
      provider: 'digitalocean',
      prefix,
      refillPerSecond: 5_000 / 3_600,
      headers: ({ budget, budgetLimit }) => ({
        'ratelimit-limit': String(budgetLimit),
        'ratelimit-remaining': String(Math.max(0, Math.floor(budget))),
        'ratelimit-reset': String(Math.ceil(Date.now() / 1000 + ((budgetLimit - budget) / 5_000) * 3_600)),
      }),
      unauthorized: (reply, reason) =>
        reason === 'read-only'
          ? digitalOceanError(reply, 'forbidden', 'You are not authorized to perform this operation')
          : digitalOceanError(reply, 'unauthorized', 'Unable to authenticate you'),
      rateLimited: (reply) => digitalOceanError(reply, 'too_many_requests', 'API Rate limit exceeded.'),
    });
    app.setNotFoundHandler((_request, reply) => notFound(reply));
    app.setErrorHandler((_error, _request, reply) => digitalOceanError(reply, 'unprocessable_entity', 'Invalid JSON'));
    app.get('/sizes', (request) => page('sizes', SIZES, request.query as Query, urlOf(request)));
    app.get('/regions', (request) =>
      page(
        'regions',
        REGIONS.map(({ slug }) => regionView(slug)),
        request.query as Query,
        urlOf(request),
      ),
    );
    app.get('/images', (request) =>
      page(
        'images',
        IMAGES.map(({ slug }) => imageView(slug)),
        request.query as Query,
        urlOf(request),
      ),
    );
    addDropletRoutes(app, world);
    addResourceRoutes(app, world);
  };
}

function addDropletRoutes(app: FastifyInstance, world: World): void {
  app.get('/droplets', (request, reply) => {
    const { project } = request as ProviderRequest;
    const { tag_name: tag, name, ...query } = request.query as Query;
    if (tag !== undefined && name !== undefined) {
      return digitalOceanError(reply, 'unprocessable_entity', 'tag_name and name cannot be combined');
    }
    const listed = [...project.servers.values()].filter(
      (server) =>
        server.machine.life !== 'deleting' &&
        Date.now() - server.createdAt.getTime() >= world.settings.listLagMs &&
        (tag === undefined || server.tags.includes(tag)) &&
        (name === undefined || server.name === name),
    );
    const withTag = tag === undefined ? query : { ...query, tag_name: tag };
    return page('droplets', listed.reverse().map(dropletView), withTag, urlOf(request));
  });
  app.get<ById>('/droplets/:id', (request, reply) => {
    const server = find(request);
    return server ? { droplet: dropletView(server) } : notFound(reply);
  });
  app.post<{ Body: CreateDropletBody }>('/droplets', (request, reply) => createDroplet(world, request, reply));
  app.delete<ById>('/droplets/:id', (request, reply) => {
    const server = find(request);
    if (!server) return notFound(reply);
    world.deleteServer((request as unknown as ProviderRequest).project, server);
    return reply.status(204).send();
  });
  app.get<ById>('/actions/:id', (request) => ({
    action: actionView(Number(request.params.id), 'create', { id: 0, locationId: 'fra1' }, true),
  }));
}

function createDroplet(world: World, request: FastifyRequest<{ Body: CreateDropletBody }>, reply: FastifyReply) {
  const { project, fault } = request as ProviderRequest;
  const { body } = request;
  const refusal = checkOrder(project, body ?? {}, reply);
  if (refusal) return refusal;
  const image = IMAGES.find(({ slug, id }) => slug === body.image || id === body.image);
  const tags = body.tags ?? [];
  for (const tag of tags) project.tags.add(tag);
  const server = world.createServer(
    project,
    {
      name: body.name ?? '',
      typeId: body.size ?? '',
      locationId: body.region ?? '',
      imageName: image?.slug ?? '',
      labels: {},
      tags,
      sshKeyIds: (body.ssh_keys ?? []).map(Number),
    },
    { userData: body.user_data ?? '', acceptsBase64: false, bootFails: fault?.bootFailure === true },
  );
  if (fault?.vanish) setTimeout(() => world.deleteServer(project, server), 0);
  const actionId = world.nextId();
  const href = `${new URL(urlOf(request)).origin}/digitalocean/v2/actions/${actionId}`;
  return reply
    .status(202)
    .send({ droplet: dropletView(server), links: { actions: [{ id: actionId, rel: 'create', href }] } });
}

/** A droplet that is being deleted answers 404 at once. */
function find(request: FastifyRequest<ById>): ServerRecord | undefined {
  const server = (request as unknown as ProviderRequest).project.servers.get(Number(request.params.id));
  return server?.machine.life === 'deleting' ? undefined : server;
}

function urlOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}${request.url.split('?')[0]}`;
}
