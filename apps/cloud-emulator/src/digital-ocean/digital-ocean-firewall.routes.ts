import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isNetwork } from '../firewall';
import type { FirewallRecord, Project } from '../project';
import type { World } from '../world';
import { page } from './digital-ocean-page';
import { DigitalOceanRefusalError } from './digital-ocean-refusal.error';
import { projectOf, urlOf } from './digital-ocean-request';
import { firewallId, firewallView } from './digital-ocean.views';

type ById = { Params: { id: string } };

// https://docs.digitalocean.com/products/networking/firewalls/details/limits/
const MAX_RULES = 50;
const MAX_TAGS = 5;
const MAX_ADDRESSES = 1_000;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9.-]+$/;

const address = z.string().refine((text) => isNetwork(text, { mayBeAlone: true }), 'invalid address');
const ends = z.looseObject({ addresses: z.array(address).max(MAX_ADDRESSES).optional() });
const rule = { protocol: z.enum(['tcp', 'udp', 'icmp']), ports: z.string().regex(/^(all|\d{1,5}(-\d{1,5})?)$/) };
const bodySchema = z.looseObject({
  name: z.string().regex(NAME, 'name is invalid'),
  inbound_rules: z.array(z.looseObject({ ...rule, sources: ends })).nullish(),
  outbound_rules: z.array(z.looseObject({ ...rule, destinations: ends })).nullish(),
  tags: z.array(z.string()).max(MAX_TAGS).nullish(),
  droplet_ids: z.array(z.int()).nullish(),
});

export function addFirewallRoutes(app: FastifyInstance, world: World): void {
  app.get('/firewalls', (request) => {
    const firewalls = [...projectOf(request).firewalls.values()].map(firewallView);
    return page('firewalls', firewalls, request.query as Record<string, string | undefined>, urlOf(request));
  });
  app.get<ById>('/firewalls/:id', (request) => ({ firewall: firewallView(findFirewall(request)) }));
  app.post('/firewalls', (request, reply) => {
    const project = projectOf(request);
    const { firewalls } = project;
    const body = readBody(project, request.body);
    if (firewalls.size >= world.settings.firewallLimit) {
      throw DigitalOceanRefusalError.unprocessable('creating this firewall will exceed your firewall limit');
    }
    const record = { id: world.nextId(), name: String(body['name']), body, createdAt: new Date() };
    firewalls.set(record.id, record);
    return reply.status(202).send({ firewall: firewallView(record) });
  });
  app.put<ById>('/firewalls/:id', (request) => {
    const record = findFirewall(request);
    const body = readBody(projectOf(request), request.body, record);
    Object.assign(record, { name: body['name'], body });
    return { firewall: firewallView(record) };
  });
  // Also one that stands before droplets: then they stand without it.
  app.delete<ById>('/firewalls/:id', (request, reply) => {
    projectOf(request).firewalls.delete(findFirewall(request).id);
    return reply.status(204).send();
  });
}

/** @throws DigitalOceanRefusalError for what DigitalOcean would refuse */
function readBody({ firewalls, tags }: Project, given: unknown, self?: FirewallRecord): Record<string, unknown> {
  const { success, data, error } = bodySchema.safeParse(given ?? {});
  const { unprocessable } = DigitalOceanRefusalError;
  if (!success) throw unprocessable(`${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`);
  const count = (data.inbound_rules?.length ?? 0) + (data.outbound_rules?.length ?? 0);
  if (count === 0) throw unprocessable('must specify at least one rule');
  if (count > MAX_RULES) throw unprocessable('firewall rules exceed the limit of 50');
  const unknown = data.tags?.find((tag) => !tags.has(tag));
  if (unknown !== undefined) throw unprocessable(`tag ${unknown} does not exist`);
  // Seen as 409, which the published description does not have.
  if ([...firewalls.values()].some((firewall) => firewall !== self && firewall.name === data.name)) {
    throw new DigitalOceanRefusalError('conflict', 'duplicate name');
  }
  return data;
}

function findFirewall(request: FastifyRequest<ById>): FirewallRecord {
  const all = [...projectOf(request).firewalls.values()];
  const found = all.find((firewall) => firewallId(firewall) === request.params.id);
  if (!found) throw DigitalOceanRefusalError.notFound();
  return found;
}
