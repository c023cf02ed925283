import type { FastifyInstance } from 'fastify';
import { fingerprint } from '../project';
import type { World } from '../world';
import { addFirewallRoutes } from './hetzner-firewall.routes';
import { readLabels } from './hetzner-order';
import { page } from './hetzner-page';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { byId, labelled, projectOf, readName, rename, type ById, type Fields, type Query } from './hetzner-request';
import { actionView, keyView } from './hetzner.views';

/** SSH keys, firewalls and actions. */
export function addResourceRoutes(app: FastifyInstance, world: World): void {
  addKeyRoutes(app, world);
  addFirewallRoutes(app, world);
  app.get('/actions', (request) => {
    const ids = [(request.query as { id?: string | string[] }).id ?? []].flat();
    // A list of all actions was removed on 2025-01-30.
    if (ids.length === 0) throw new HetznerRefusalError('deprecated_api_endpoint', 'ask for actions by their ids');
    const { actions } = projectOf(request);
    return page(
      'actions',
      ids
        .map((id) => actions.get(Number(id)) ?? [])
        .flat()
        .map(actionView),
      {},
    );
  });
  app.get<ById>('/actions/:id', (request) => ({
    action: actionView(byId(projectOf(request).actions, request, 'action')),
  }));
}

function addKeyRoutes(app: FastifyInstance, world: World): void {
  app.get('/ssh_keys', (request) => {
    const { fingerprint: wanted, ...query } = request.query as Query;
    const keys = labelled([...projectOf(request).keys.values()].map(keyView), query);
    return page(
      'ssh_keys',
      keys.filter((key) => wanted === undefined || key.fingerprint === wanted),
      query,
    );
  });
  app.get<ById>('/ssh_keys/:id', (request) => ({
    ssh_key: keyView(byId(projectOf(request).keys, request, 'SSH key')),
  }));
  app.post('/ssh_keys', (request, reply) => {
    const { keys } = projectOf(request);
    const body = (request.body ?? {}) as Fields;
    const name = readName(body);
    const publicKey = String(body['public_key'] ?? '');
    const print = fingerprint(publicKey);
    if (!print) throw HetznerRefusalError.invalidInput('public_key', 'must be a valid SSH public key');
    const labels = readLabels(body['labels']);
    if ([...keys.values()].some((key) => key.name === name || key.fingerprint === print)) {
      throw new HetznerRefusalError('uniqueness_error', 'SSH key not unique');
    }
    const key = { id: world.nextId(), name, publicKey, fingerprint: print, labels, createdAt: new Date() };
    keys.set(key.id, key);
    return reply.status(201).send({ ssh_key: keyView(key) });
  });
  app.put<ById>('/ssh_keys/:id', (request) => {
    const { keys } = projectOf(request);
    const key = byId(keys, request, 'SSH key');
    rename(key, (request.body ?? {}) as Fields, keys);
    return { ssh_key: keyView(key) };
  });
  app.delete<ById>('/ssh_keys/:id', (request, reply) => {
    const { keys } = projectOf(request);
    keys.delete(byId(keys, request, 'SSH key').id);
    return reply.status(204).send();
  });
}
