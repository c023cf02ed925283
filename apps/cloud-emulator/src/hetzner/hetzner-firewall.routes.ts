import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isNetwork } from '../firewall';
import type { FirewallRecord, Project } from '../project';
import type { World } from '../world';
import { readLabels } from './hetzner-order';
import { page } from './hetzner-page';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { byId, labelled, projectOf, readName, rename, type ById, type Fields, type Query } from './hetzner-request';
import { firewallView, time } from './hetzner.views';

// https://docs.hetzner.com/cloud/firewalls/overview#limits, and the published description.
const MAX_RULES = 50;
const MAX_EFFECTIVE_RULES = 500;
const MAX_NETWORKS = 100;
const MAX_NAME = 128;

const network = z
  .string()
  .refine((text) => isNetwork(text, { mayBeAlone: false }), 'must be a network in CIDR notation');
const networks = z.array(network).max(MAX_NETWORKS).default([]);
const ruleSchema = z
  .object({
    direction: z.enum(['in', 'out']),
    protocol: z.enum(['tcp', 'udp', 'icmp', 'esp', 'gre']),
    port: z
      .string()
      .regex(/^\d{1,5}(-\d{1,5})?$/)
      .nullish(),
    source_ips: networks,
    destination_ips: networks,
    description: z.string().max(255).nullish(),
  })
  .refine(
    ({ protocol, port }) => (protocol === 'tcp' || protocol === 'udp') === (typeof port === 'string'),
    'port and protocol',
  )
  .refine((rule) => (rule.direction === 'in' ? rule.source_ips : rule.destination_ips).length > 0, 'networks');
const rulesSchema = z.array(ruleSchema).max(MAX_RULES).default([]);

export function addFirewallRoutes(app: FastifyInstance, world: World): void {
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
    const record = { id: world.nextId(), createdAt: new Date(), ...readFirewall(project, world, request.body) };
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
  app.post<ById>('/firewalls/:id/actions/set_rules', (request, reply) => {
    const project = projectOf(request);
    const record = byId(project.firewalls, request, 'firewall');
    record.body = { ...record.body, rules: readRules((request.body as Fields | undefined)?.['rules']) };
    return reply.status(201).send({ actions: [doneAction(world.nextId(), 'set_firewall_rules', record)] });
  });
  addResourceActions(app, world);
  app.delete<ById>('/firewalls/:id', (request, reply) => {
    const project = projectOf(request);
    const { id } = byId(project.firewalls, request, 'firewall');
    // Also while a server is being deleted.
    if ([...project.servers.values()].some(({ firewallIds }) => firewallIds.includes(id))) {
      throw new HetznerRefusalError('resource_in_use', 'firewall is still in use');
    }
    project.firewalls.delete(id);
    return reply.status(204).send();
  });
}

/** For what people do by hand: only servers, no label selectors. */
function addResourceActions(app: FastifyInstance, world: World): void {
  const change = (path: string, field: string, idsOf: (before: number[], id: number) => number[]) =>
    app.post<ById>(`/firewalls/:id/actions/${path}`, (request, reply) => {
      const project = projectOf(request);
      const record = byId(project.firewalls, request, 'firewall');
      const body = (request.body ?? {}) as Record<string, { server?: { id: number } }[] | undefined>;
      for (const { server } of body[field] ?? []) {
        const found = project.servers.get(server?.id ?? 0);
        if (!found) throw HetznerRefusalError.invalidInput(field, 'server not found');
        found.firewallIds = idsOf(found.firewallIds, record.id);
      }
      return reply.status(201).send({ actions: [doneAction(world.nextId(), path, record)] });
    });
  change('apply_to_resources', 'apply_to', (before, id) => [...new Set([...before, id])]);
  change('remove_from_resources', 'remove_from', (before, id) => before.filter((each) => each !== id));
}

function readFirewall(project: Project, { settings }: World, given: unknown): Pick<FirewallRecord, 'name' | 'body'> {
  const body = (given ?? {}) as Fields;
  const name = readName(body);
  if (name.length > MAX_NAME) throw HetznerRefusalError.invalidInput('name', 'must be 128 characters at most');
  const labels = readLabels(body['labels']);
  const rules = readRules(body['rules']);
  if ([...project.firewalls.values()].some((firewall) => firewall.name === name)) {
    throw new HetznerRefusalError('uniqueness_error', 'firewall name is already used');
  }
  if (project.firewalls.size >= settings.firewallLimit) {
    throw new HetznerRefusalError('resource_limit_exceeded', 'firewall limit exceeded');
  }
  return { name, body: { ...body, labels, rules } };
}

function readRules(given: unknown) {
  const { success, data, error } = rulesSchema.safeParse(given);
  if (!success) {
    const [issue] = error.issues;
    throw HetznerRefusalError.invalidInput(['rules', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'invalid');
  }
  const effective = data.reduce((sum, rule) => sum + rule.source_ips.length + rule.destination_ips.length, 0);
  if (effective > MAX_EFFECTIVE_RULES) {
    throw HetznerRefusalError.invalidInput('rules', `must not have more than ${MAX_EFFECTIVE_RULES} effective rules`);
  }
  return data;
}

function doneAction(id: number, command: string, firewall: FirewallRecord) {
  const now = time(new Date());
  const resources = [{ id: firewall.id, type: 'firewall' }];
  return { id, command, status: 'success', progress: 100, started: now, finished: now, resources, error: null };
}
