import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { fingerprint, type KeyRecord } from '../project';
import type { ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { notFound, unprocessable } from './digital-ocean.errors';
import { page } from './digital-ocean-page';
import { keyView, time } from './digital-ocean.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;

/** Account, SSH keys, tags and firewalls. */
export function addResourceRoutes(app: FastifyInstance, world: World): void {
  app.get('/account', (request) => ({
    account: {
      droplet_limit: 25,
      floating_ip_limit: 5,
      email: 'emulator@example.com',
      uuid: (request as ProviderRequest).project.tokenHash,
      email_verified: true,
      status: 'active',
      status_message: '',
    },
  }));
  addKeyRoutes(app, world);
  app.get('/tags', (request) => {
    const names = [...(request as ProviderRequest).project.tags];
    return page('tags', names.map(tagView), request.query as Query, `http://${request.host}/digitalocean/v2/tags`);
  });
  app.post<{ Body: { name?: string } }>('/tags', (request, reply) => {
    const name = request.body?.name ?? '';
    if (!/^[A-Za-z0-9_:-]{1,255}$/.test(name)) return unprocessable(reply, 'Tag name is invalid');
    (request as unknown as ProviderRequest).project.tags.add(name);
    return reply.status(201).send({ tag: tagView(name) });
  });
  app.post<{ Body: Record<string, unknown> }>('/firewalls', (request, reply) => {
    const { project } = request as unknown as ProviderRequest;
    const name = String(request.body?.['name'] ?? '');
    if (name === '') return unprocessable(reply, 'name is required');
    const record = { id: world.nextId(), name, body: request.body, createdAt: new Date() };
    project.firewalls.set(record.id, record);
    const firewall = {
      ...request.body,
      id: randomUUID(),
      status: 'waiting',
      created_at: time(record.createdAt),
      pending_changes: [],
    };
    return reply.status(202).send({ firewall });
  });
}

function addKeyRoutes(app: FastifyInstance, world: World): void {
  app.get('/account/keys', (request) => {
    const keys = [...(request as ProviderRequest).project.keys.values()].map(keyView);
    return page('ssh_keys', keys, request.query as Query, `http://${request.host}/digitalocean/v2/account/keys`);
  });
  app.get<ById>('/account/keys/:id', (request, reply) => {
    const key = findKey(request);
    return key ? { ssh_key: keyView(key) } : notFound(reply);
  });
  app.post<{ Body: { name?: string; public_key?: string } }>('/account/keys', (request, reply) => {
    const { project } = request as unknown as ProviderRequest;
    const { name = '', public_key: publicKey = '' } = request.body ?? {};
    const print = fingerprint(publicKey);
    if (name === '' || !print)
      return unprocessable(reply, 'Key invalid type, we support ssh-rsa, ssh-dss, ssh-ed25519');
    if ([...project.keys.values()].some((key) => key.fingerprint === print)) {
      return unprocessable(reply, 'SSH Key is already in use on your account');
    }
    const key = { id: world.nextId(), name, publicKey, fingerprint: print, labels: {}, createdAt: new Date() };
    project.keys.set(key.id, key);
    return reply.status(201).send({ ssh_key: keyView(key) });
  });
  app.delete<ById>('/account/keys/:id', (request, reply) => {
    const key = findKey(request);
    if (!key) return notFound(reply);
    (request as unknown as ProviderRequest).project.keys.delete(key.id);
    return reply.status(204).send();
  });
}

/** By id or by fingerprint. */
function findKey(request: FastifyRequest<ById>): KeyRecord | undefined {
  const { id } = request.params;
  const keys = [...(request as unknown as ProviderRequest).project.keys.values()];
  return keys.find((key) => String(key.id) === id || key.fingerprint === decodeURIComponent(id));
}

function tagView(name: string) {
  return { name, resources: { count: 0, droplets: { count: 0 } } };
}
