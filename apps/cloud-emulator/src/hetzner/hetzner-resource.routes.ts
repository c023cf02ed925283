import type { FastifyInstance } from 'fastify';
import { fingerprint } from '../project';
import type { ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { hetznerError, invalid } from './hetzner.errors';
import { page } from './hetzner-page';
import { actionView, firewallView, keyView } from './hetzner.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;
type KeyBody = { Body: { name?: string; public_key?: string; labels?: Record<string, string> } };

/** SSH keys, firewalls and actions. */
export function addResourceRoutes(app: FastifyInstance, world: World): void {
  addKeyRoutes(app, world);
  app.get('/firewalls', (request) =>
    page(
      'firewalls',
      [...(request as ProviderRequest).project.firewalls.values()].map(firewallView),
      request.query as Query,
    ),
  );
  app.post<{ Body: Record<string, unknown> }>('/firewalls', (request, reply) => {
    const { project } = request as unknown as ProviderRequest;
    const name = String(request.body?.['name'] ?? '');
    if (name === '') return invalid(reply, 'name', 'Missing data for required field.');
    const record = { id: world.nextId(), name, body: request.body, createdAt: new Date() };
    project.firewalls.set(record.id, record);
    return reply.status(201).send({ firewall: firewallView(record), actions: [] });
  });
  app.delete<ById>('/firewalls/:id', (request, reply) => {
    const { project } = request as unknown as ProviderRequest;
    if (project.firewalls.delete(Number(request.params.id))) return reply.status(204).send();
    return hetznerError(reply, 'not_found', 'firewall not found');
  });
  app.get('/actions', (request) => {
    const ids = [(request.query as { id?: string | string[] }).id ?? []].flat();
    const actions = ids.map((id) => actionView(Number(id), 'create_server', { id: 0, type: 'server' }, true));
    return page('actions', actions, {});
  });
}

function addKeyRoutes(app: FastifyInstance, world: World): void {
  app.get('/ssh_keys', (request) => {
    const { fingerprint: wanted, ...query } = request.query as Query;
    const keys = [...(request as ProviderRequest).project.keys.values()];
    return page(
      'ssh_keys',
      keys.filter((key) => wanted === undefined || key.fingerprint === wanted).map(keyView),
      query,
    );
  });
  app.get<ById>('/ssh_keys/:id', (request, reply) => {
    const key = (request as unknown as ProviderRequest).project.keys.get(Number(request.params.id));
    return key ? { ssh_key: keyView(key) } : hetznerError(reply, 'not_found', 'SSH key not found');
  });
  app.post<KeyBody>('/ssh_keys', (request, reply) => {
    const { project } = request as unknown as ProviderRequest;
    const { name = '', public_key: publicKey = '', labels = {} } = request.body ?? {};
    const print = fingerprint(publicKey);
    if (name === '' || !print) return invalid(reply, 'public_key', 'must be a valid SSH public key');
    const taken = [...project.keys.values()].some((key) => key.name === name || key.fingerprint === print);
    if (taken) return hetznerError(reply, 'uniqueness_error', 'SSH key not unique');
    const key = { id: world.nextId(), name, publicKey, fingerprint: print, labels, createdAt: new Date() };
    project.keys.set(key.id, key);
    return reply.status(201).send({ ssh_key: keyView(key) });
  });
  app.delete<ById>('/ssh_keys/:id', (request, reply) => {
    const { project } = request as unknown as ProviderRequest;
    if (project.keys.delete(Number(request.params.id))) return reply.status(204).send();
    return hetznerError(reply, 'not_found', 'SSH key not found');
  });
}
