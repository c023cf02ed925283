import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fingerprint, type FirewallRecord, type Project } from '../project';
import type { ProviderRequest } from '../provider-gate';
import type { World } from '../world';
import { readLabels } from './hetzner-order';
import { page } from './hetzner-page';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { actionView, firewallView, keyView } from './hetzner.views';
import { matchesSelector } from './label-selector';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;
type Fields = Record<string, unknown>;

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

function addFirewallRoutes(app: FastifyInstance, world: World): void {
  const view = (project: Project) => (record: FirewallRecord) => firewallView(record, project);
  app.get('/firewalls', (request) => {
    const project = projectOf(request);
    const query = request.query as Query;
    return page('firewalls', labelled([...project.firewalls.values()].map(view(project)), query), query);
  });
  app.get<ById>('/firewalls/:id', (request) => {
    const project = projectOf(request);
    return { firewall: view(project)(byId(project.firewalls, request, 'firewall')) };
  });
  app.post('/firewalls', (request, reply) => {
    const project = projectOf(request);
    const body = (request.body ?? {}) as Fields;
    const name = readName(body);
    const labels = readLabels(body['labels']);
    if ([...project.firewalls.values()].some((firewall) => firewall.name === name)) {
      throw new HetznerRefusalError('uniqueness_error', 'firewall name is already used');
    }
    const record = { id: world.nextId(), name, body: { ...body, labels }, createdAt: new Date() };
    project.firewalls.set(record.id, record);
    return reply.status(201).send({ firewall: view(project)(record), actions: [] });
  });
  app.put<ById>('/firewalls/:id', (request) => {
    const project = projectOf(request);
    const record = byId(project.firewalls, request, 'firewall');
    const holder = { name: record.name, labels: record.body['labels'] as Record<string, string> };
    rename(holder, (request.body ?? {}) as Fields, project.firewalls);
    record.name = holder.name;
    record.body = { ...record.body, labels: holder.labels };
    return { firewall: view(project)(record) };
  });
  app.delete<ById>('/firewalls/:id', (request, reply) => {
    const project = projectOf(request);
    const { id } = byId(project.firewalls, request, 'firewall');
    if ([...project.servers.values()].some(({ firewallIds }) => firewallIds.includes(id))) {
      throw new HetznerRefusalError('resource_in_use', 'firewall is still in use');
    }
    project.firewalls.delete(id);
    return reply.status(204).send();
  });
}

function projectOf(request: unknown): Project {
  return (request as ProviderRequest).project;
}

function byId<T>(all: ReadonlyMap<number, T>, { params: { id } }: FastifyRequest<ById>, what: string): T {
  const found = all.get(Number(id));
  if (!found) throw new HetznerRefusalError('not_found', `${what} with ID '${id}' not found`);
  return found;
}

function readName({ name }: Fields): string {
  if (typeof name === 'string' && name !== '') return name;
  throw HetznerRefusalError.invalidInput('name', 'Missing data for required field.');
}

/** Changes the name, the labels or both. @throws HetznerRefusalError when the name is another one's */
function rename(
  record: { name: string; labels: Record<string, string> },
  fields: Fields,
  all: ReadonlyMap<number, { name: string }>,
): void {
  const labels = fields['labels'] === undefined ? record.labels : readLabels(fields['labels']);
  const name = fields['name'] === undefined ? record.name : readName(fields);
  if (name !== record.name && [...all.values()].some((each) => each.name === name)) {
    throw new HetznerRefusalError('uniqueness_error', 'name is already used');
  }
  Object.assign(record, { name, labels });
}

function labelled<T extends { labels: unknown }>(all: T[], { label_selector: selector }: Query): T[] {
  if (selector === undefined) return all;
  return all.filter(({ labels }) => matchesSelector(labels as Record<string, string>, selector));
}
