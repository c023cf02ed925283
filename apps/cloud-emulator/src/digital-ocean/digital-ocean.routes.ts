import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { orderedTrouble, type Faults } from '../faults';
import type { Project, ServerRecord } from '../project';
import { addGate, type ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { IMAGES, REGIONS, SIZES, imageOf } from './digital-ocean.catalogue';
import { addResourceRoutes } from './digital-ocean-resource.routes';
import { digitalOceanError, digitalOceanRefusal, handleError } from './digital-ocean.errors';
import { readOrder } from './digital-ocean-order';
import { page } from './digital-ocean-page';
import { DigitalOceanRefusalError } from './digital-ocean-refusal.error';
import { projectOf, urlOf } from './digital-ocean-request';
import { actionView, dropletView, imageView, regionView } from './digital-ocean.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;

const REFILL_PER_SECOND = 5_000 / 3_600;

/** `/digitalocean/v2/…` */
export function digitalOceanRoutes(world: World, faults: Faults, prefix: string) {
  return async (app: FastifyInstance): Promise<void> => {
    addGate(app, world, faults, {
      provider: 'digitalocean',
      prefix,
      refillPerSecond: REFILL_PER_SECOND,
      headers: (project) => ({ 'x-request-id': randomUUID(), ...(project ? rateLimit(project) : {}) }),
      burst: (project, method, path) => burst(world, project, method, path),
      unauthorized: (reply, reason) =>
        reason === 'read-only'
          ? digitalOceanError(reply, 'forbidden', 'You are not authorized to perform this operation')
          : digitalOceanError(reply, 'unauthorized', 'Unable to authenticate you'),
      refusal: digitalOceanRefusal,
      rateLimited: (reply) => digitalOceanError(reply, 'too_many_requests', 'API Rate limit exceeded.'),
    });
    app.setNotFoundHandler((_request, reply) => handleError(DigitalOceanRefusalError.notFound(), reply));
    app.setErrorHandler((error: Error, _request, reply) => handleError(error, reply));
    app.get('/sizes', (request) => page('sizes', SIZES, request.query as Query, urlOf(request)));
    app.get('/regions', (request) =>
      page(
        'regions',
        REGIONS.map(({ slug }) => regionView(slug)),
        request.query as Query,
        urlOf(request),
      ),
    );
    addImageRoutes(app);
    addDropletRoutes(app, world);
    addResourceRoutes(app, world);
  };
}

function addImageRoutes(app: FastifyInstance): void {
  app.get('/images', (request) => {
    const { type, private: isPrivate } = request.query as Query;
    const kind = (image: (typeof IMAGES)[number]) => (image.type === 'base' ? 'distribution' : 'application');
    const found = IMAGES.filter((image) =>
      isPrivate === 'true' ? !image.public : type === undefined || (image.public && kind(image) === type),
    );
    const views = found.map(({ id }) => imageView(String(id)));
    return page('images', views, request.query as Query, urlOf(request));
  });
  app.get<ById>('/images/:id', ({ params: { id } }) => {
    if (!imageOf(id)) throw DigitalOceanRefusalError.notFound();
    return { image: imageView(id) };
  });
}

function rateLimit({ budget, budgetLimit }: Project): Record<string, string> {
  const missing = budgetLimit - budget;
  return {
    'ratelimit-limit': String(budgetLimit),
    'ratelimit-remaining': String(Math.max(0, Math.floor(budget))),
    'ratelimit-reset': String(Math.ceil(Date.now() / 1000 + missing / REFILL_PER_SECOND)),
  };
}

/** Lists of SSH keys have a limit of their own. */
function burst({ settings }: World, project: Project, method: string, path: string): number {
  const isKeyList = method === 'GET' && path === '/account/keys';
  const wait = isKeyList ? project.burst('key-lists', settings.keyListsPerMinute) : 0;
  return wait || project.burst('all', settings.burstPerMinute);
}

function addDropletRoutes(app: FastifyInstance, world: World): void {
  app.get('/droplets', (request) => {
    const { tag_name: tag, name, ...query } = request.query as Query;
    if (tag !== undefined && name !== undefined) {
      throw DigitalOceanRefusalError.unprocessable('tag_name and name cannot be combined');
    }
    const listed = projectOf(request)
      .listed()
      .filter(
        (server) =>
          server.machine.life !== 'deleting' &&
          Date.now() - server.createdAt.getTime() >= world.settings.listLagMs &&
          (tag === undefined || server.tags.includes(tag)) &&
          (name === undefined || server.name === name),
      );
    const filter = { ...(tag === undefined ? {} : { tag_name: tag }), ...(name === undefined ? {} : { name }) };
    return page('droplets', listed.reverse(), { ...query, ...filter }, urlOf(request), dropletView);
  });
  app.get<ById>('/droplets/:id', (request) => ({ droplet: dropletView(findDroplet(request)) }));
  app.post('/droplets', (request, reply) => {
    const { droplet, action } = createDroplet(world, request as ProviderRequest);
    const href = `${request.protocol}://${request.host}${prefixOf(request)}/actions/${action.id}`;
    const links = { actions: [{ id: action.id, rel: 'create', href }] };
    return reply.status(202).send({ droplet: dropletView(droplet), links });
  });
  app.delete<ById>('/droplets/:id', (request, reply) => {
    world.deleteServer(projectOf(request), findDroplet(request), (request as unknown as ProviderRequest).fault);
    return reply.status(204).send();
  });
  // Deletes every match: no program should ever call it.
  app.delete('/droplets', (request, reply) => {
    const { tag_name: tag = '' } = request.query as Query;
    const project = projectOf(request);
    if (!project.tags.has(tag)) throw DigitalOceanRefusalError.notFound();
    for (const server of project.servers.values()) if (server.tags.includes(tag)) world.deleteServer(project, server);
    return reply.status(204).send();
  });
  app.get<ById>('/droplets/:id/actions', (request) => {
    const droplet = findDroplet(request);
    const actions = [...projectOf(request).actions.values()].filter(({ server }) => server === droplet);
    return page('actions', actions.map(actionView), request.query as Query, urlOf(request));
  });
  app.get('/actions', (request) => {
    const actions = [...projectOf(request).actions.values()].reverse();
    return page('actions', actions.map(actionView), request.query as Query, urlOf(request));
  });
  app.get<ById>('/actions/:id', (request) => {
    const action = projectOf(request).actions.get(Number(request.params.id));
    if (!action) throw DigitalOceanRefusalError.notFound();
    return { action: actionView(action) };
  });
}

function createDroplet(world: World, { project, fault, body }: ProviderRequest) {
  const { userData, ...facts } = readOrder(project, body, world.settings.serverLimit);
  for (const tag of facts.tags) project.tags.add(tag);
  const make = () =>
    world.createServer(
      project,
      { ...facts, labels: {}, firewallIds: [] },
      { userData, acceptsBase64: false, ...orderedTrouble(fault) },
    );
  const droplet = make();
  world.hide(droplet, fault);
  if (fault?.duplicate) make();
  if (fault?.vanish) setTimeout(() => world.vanish(project, droplet), 0);
  const action = world.addAction(project, 'create', droplet, () =>
    droplet.isVanished ? 'failed' : droplet.machine.life === 'booting' ? 'running' : 'done',
  );
  return { droplet, action };
}

/** A droplet that is being deleted answers 404 at once. @throws DigitalOceanRefusalError */
function findDroplet(request: FastifyRequest<ById>): ServerRecord {
  const server = projectOf(request).find(Number(request.params.id));
  if (!server || server.machine.life === 'deleting') throw DigitalOceanRefusalError.notFound();
  return server;
}

function prefixOf(request: FastifyRequest): string {
  return request.url.slice(0, request.url.indexOf('/droplets'));
}
