import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { SIZES } from './digital-ocean/digital-ocean.catalogue';
import { dropletView } from './digital-ocean/digital-ocean.views';
import { faultSchema, type Faults } from './faults';
import { firewallsOf, inboundRules } from './firewall';
import { ADDRESS_PRICE_MONTHLY, SERVER_TYPES, VAT_RATE, monthlyPrice } from './hetzner/hetzner.catalogue';
import { serverView as hetznerView } from './hetzner/hetzner.views';
import { tokenHash, type FirewallRecord, type Project, type ServerRecord } from './project';
import { AGENT_STATES } from './server/agent-manager';
import type { World } from './world';

const settingsSchema = z.strictObject({
  bootMs: z.number().int().nonnegative().optional(),
  installMs: z.number().int().nonnegative().optional(),
  startMs: z.number().int().nonnegative().optional(),
  deleteMs: z.number().int().nonnegative().optional(),
  listLagMs: z.number().int().nonnegative().optional(),
  burstPerMinute: z.number().int().positive().optional(),
  keyListsPerMinute: z.number().int().positive().optional(),
  budgetFactor: z.number().int().positive().max(10_000).optional(),
  serverLimit: z.number().int().nonnegative().optional(),
  firewallLimit: z.number().int().nonnegative().optional(),
});
const tokenSchema = z.strictObject({ token: z.string().min(1), value: z.boolean().default(true) });
const budgetSchema = z.strictObject({
  provider: z.enum(['hetzner', 'digitalocean']),
  token: z.string().min(1),
  remaining: z.number().int().nonnegative(),
});
const copiesSchema = z.strictObject({ count: z.number().int().min(1).max(100_000) });
const agentSchema = z.strictObject({ state: z.enum(AGENT_STATES) });
const clientSchema = z.strictObject({ realm: z.string(), clientId: z.string(), secret: z.string() });

type ById = { Params: { id: string } };
type TokenQuery = { Querystring: { token?: string } };

/** `/admin/…`: what a developer wants to see and to break. `?token=` narrows to one token's project. */
export function adminRoutes(world: World, faults: Faults) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get<TokenQuery>('/servers', ({ query }) => {
      const projects = world.projects().filter((project) => isOf(project, query.token));
      return projects.flatMap((project) => [...project.servers.values()].map((server) => serverView(project, server)));
    });
    app.get<TokenQuery>('/firewalls', ({ query }) => {
      const projects = world.projects().filter((project) => isOf(project, query.token));
      return projects.flatMap((project) => [...project.firewalls.values()].map((each) => firewallView(project, each)));
    });
    app.get<TokenQuery>('/times', ({ query }) => {
      const projects = world.projects().filter((project) => isOf(project, query.token));
      return projects.flatMap((project) => [...project.servers.values()].flatMap(timesView));
    });
    app.post<ById>('/servers/:id/copies', ({ params: { id }, body }, reply) => {
      const project = world.projects().find(({ servers }) => servers.has(Number(id)));
      const like = project?.servers.get(Number(id));
      if (!project || !like) return notFound(reply, id);
      return checked(reply, copiesSchema.safeParse(body), ({ count }) => {
        world.addStillServers(project, like, count);
        return { count };
      });
    });
    app.post<ById>('/servers/:id/agent', ({ params: { id }, body }, reply) => {
      const server = world.projects().flatMap((project) => project.servers.get(Number(id)) ?? [])[0];
      if (!server) return notFound(reply, id);
      return checked(reply, agentSchema.safeParse(body), ({ state }) => {
        world.log(`server ${server.name} (${id}): from now on its agent-manager is ${state}`);
        return { agentState: (server.machine.agentState = state) };
      });
    });
    app.get<TokenQuery>('/requests', ({ query: { token } }) =>
      world.requests.filter((request) => token === undefined || request.tokenHash === tokenHash(token)),
    );
    app.get<TokenQuery>('/history', ({ query: { token } }) =>
      world.history.filter((server) => token === undefined || server.tokenHash === tokenHash(token)),
    );
    app.get('/settings', () => world.settings);
    app.put('/settings', ({ body }, reply) =>
      checked(reply, settingsSchema.safeParse(body), (changes) => Object.assign(world.settings, changes)),
    );
    app.get('/faults', () => faults.list());
    app.post('/faults', ({ body }, reply) =>
      checked(reply, faultSchema.safeParse(body), (fault) => {
        void reply.status(201);
        return { id: faults.add(fault).id };
      }),
    );
    app.delete<TokenQuery>('/faults', ({ query }, reply) => {
      faults.clear(query.token);
      return reply.status(204).send();
    });
    for (const [path, tokens] of [
      ['/tokens/revoke', world.revoked],
      ['/tokens/readonly', world.readOnly],
      ['/tokens/elsewhere', world.elsewhere],
    ] as const) {
      app.post(path, ({ body }, reply) =>
        checked(reply, tokenSchema.safeParse(body), ({ token, value }) => {
          if (value) tokens.add(token);
          else tokens.delete(token);
          return {};
        }),
      );
    }
    app.post('/tokens/budget', ({ body }, reply) =>
      checked(reply, budgetSchema.safeParse(body), ({ provider, token, remaining }) => {
        world.project(provider, token).setBudget(remaining);
        return {};
      }),
    );
    app.put('/keycloak/clients', ({ body }, reply) =>
      checked(reply, clientSchema.safeParse(body), ({ secret, ...client }) => {
        world.keycloak.register(client, secret);
        return {};
      }),
    );
  };
}

function isOf(project: Project, token: string | undefined): boolean {
  return token === undefined || project.tokenHash === tokenHash(token);
}

function notFound(reply: FastifyReply, id: string) {
  return reply.status(404).send({ errors: [`id: there is no server ${id}`] });
}

/** Those that are known to the millisecond: what others add to them can be measured. */
function timesView({ id, createdAt, machine: { times } }: ServerRecord) {
  return times ? [{ id: String(id), orderedAt: createdAt, ...times }] : [];
}

function checked<T>(
  reply: FastifyReply,
  parsed: { success: boolean; data?: T; error?: z.ZodError },
  use: (data: T) => object,
) {
  if (parsed.success) return use(parsed.data as T);
  return reply
    .status(400)
    .send({ errors: parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) });
}

function serverView(project: Project, server: ServerRecord) {
  const { machine } = server;
  return {
    id: String(server.id),
    provider: project.provider,
    tokenHash: project.tokenHash,
    isElsewhere: project.isElsewhere,
    name: server.name,
    type: server.typeId,
    location: server.locationId,
    image: server.imageName,
    labels: server.labels,
    tags: server.tags,
    sshKeyIds: server.sshKeyIds,
    firewalls: firewallsOf(project, server).map((each) => firewallView(project, each)),
    firewallsAtOrder: server.firewallsAtOrder,
    address: server.address,
    privateAddress: server.privateAddress,
    createdAt: server.createdAt.toISOString(),
    status: (project.provider === 'hetzner' ? hetznerView(server) : dropletView(server)).status,
    phase: machine.phase,
    life: machine.life,
    stage: machine.stage,
    problem: machine.problem,
    endpoints: machine.endpoints,
    agentState: machine.agentState,
    statusDocument: machine.status,
    reports: machine.reports,
    cost: cost(project, server),
    agentEnvironment: machine.deployment?.agentEnvironment ?? null,
    postgresEnvironment: machine.deployment?.postgresEnvironment ?? null,
    userData: machine.order.userData,
    files: machine.files.map(({ path, permissions, content }) => ({
      path,
      permissions,
      content: content.toString('utf8'),
    })),
  };
}

function firewallView(project: Project, firewall: FirewallRecord) {
  const { provider } = project;
  return { id: String(firewall.id), provider, name: firewall.name, inbound: inboundRules(project, firewall) };
}

/** What the server costs a month, with tax and address. */
function cost(project: Project, { typeId, locationId }: ServerRecord) {
  if (project.provider === 'digitalocean') {
    return { monthly: SIZES.find(({ slug }) => slug === typeId)?.price_monthly ?? 0, currency: 'USD' };
  }
  const type = SERVER_TYPES.find(({ name }) => name === typeId);
  const net = (type ? monthlyPrice(type, locationId) : 0) + ADDRESS_PRICE_MONTHLY;
  return { monthly: Math.round(net * (1 + VAT_RATE) * 100) / 100, currency: 'EUR' };
}
