import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fingerprint, type KeyRecord } from '../project';
import type { World } from '../world';
import { addFirewallRoutes } from './digital-ocean-firewall.routes';
import { readTag } from './digital-ocean-order';
import { page } from './digital-ocean-page';
import { DigitalOceanRefusalError } from './digital-ocean-refusal.error';
import { projectOf, urlOf } from './digital-ocean-request';
import { keyView, tagView } from './digital-ocean.views';

type ById = { Params: { id: string } };
type ByName = { Params: { name: string } };
type Query = Record<string, string | undefined>;
type Fields = Record<string, unknown>;

/** Account, SSH keys, tags and firewalls. */
export function addResourceRoutes(app: FastifyInstance, world: World): void {
  app.get('/account', (request) => ({
    account: {
      droplet_limit: world.settings.serverLimit,
      floating_ip_limit: 5,
      email: 'emulator@example.com',
      uuid: projectOf(request).tokenHash,
      email_verified: true,
      status: 'active',
      status_message: '',
    },
  }));
  addKeyRoutes(app, world);
  addTagRoutes(app);
  addFirewallRoutes(app, world);
}

function addKeyRoutes(app: FastifyInstance, world: World): void {
  app.get('/account/keys', (request) => {
    const keys = [...projectOf(request).keys.values()].map(keyView);
    return page('ssh_keys', keys, request.query as Query, urlOf(request));
  });
  app.get<ById>('/account/keys/:id', (request) => ({ ssh_key: keyView(findKey(request)) }));
  app.post('/account/keys', (request, reply) => {
    const { keys } = projectOf(request);
    const { name, public_key: publicKey } = (request.body ?? {}) as Fields;
    const print = typeof publicKey === 'string' ? fingerprint(publicKey) : null;
    if (typeof name !== 'string' || name === '' || !print) {
      throw DigitalOceanRefusalError.unprocessable('Key invalid type, we support ssh-rsa, ssh-dss, ssh-ed25519');
    }
    if ([...keys.values()].some((key) => key.fingerprint === print)) {
      throw DigitalOceanRefusalError.unprocessable('SSH Key is already in use on your account');
    }
    const id = world.nextId();
    const key = { id, name, publicKey: String(publicKey), fingerprint: print, labels: {}, createdAt: new Date() };
    keys.set(id, key);
    return reply.status(201).send({ ssh_key: keyView(key) });
  });
  app.put<ById>('/account/keys/:id', (request) => {
    const key = findKey(request);
    const { name } = (request.body ?? {}) as Fields;
    if (typeof name !== 'string' || name === '') throw DigitalOceanRefusalError.unprocessable('name is required');
    key.name = name;
    return { ssh_key: keyView(key) };
  });
  app.delete<ById>('/account/keys/:id', (request, reply) => {
    projectOf(request).keys.delete(findKey(request).id);
    return reply.status(204).send();
  });
}

function addTagRoutes(app: FastifyInstance): void {
  app.get<ByName>('/tags/:name', (request) => ({ tag: tagView(findTag(request), projectOf(request)) }));
  app.delete<ByName>('/tags/:name', (request, reply) => {
    const project = projectOf(request);
    const name = findTag(request);
    project.tags.delete(name);
    for (const server of project.servers.values()) server.tags = server.tags.filter((tag) => tag !== name);
    return reply.status(204).send();
  });
  app.get('/tags', (request) => {
    const project = projectOf(request);
    const tags = [...project.tags].map((name) => tagView(name, project));
    return page('tags', tags, request.query as Query, urlOf(request));
  });
  app.post('/tags', (request, reply) => {
    const project = projectOf(request);
    const name = readTag(((request.body ?? {}) as Fields)['name']);
    project.tags.add(name);
    return reply.status(201).send({ tag: tagView(name, project) });
  });
}

function findTag(request: FastifyRequest<ByName>): string {
  const { name } = request.params;
  if (!projectOf(request).tags.has(name)) throw DigitalOceanRefusalError.notFound();
  return name;
}

/** By id or by fingerprint. */
function findKey(request: FastifyRequest<ById>): KeyRecord {
  const { id } = request.params;
  const found = [...projectOf(request).keys.values()].find((key) => String(key.id) === id || key.fingerprint === id);
  if (!found) throw DigitalOceanRefusalError.notFound();
  return found;
}
