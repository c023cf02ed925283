import type { Problem, ProvisionedClientView, ProvisioningPreviewView } from '@agent-controller/contracts';
import { connect } from 'node:tls';
import type { Answer } from './support/api';
import { Installation, type Controller } from './support/controller-process';
import type { EmulatedServerView } from './support/emulator-admin';
import { info, provision, provisionBody, untilPhase } from './support/provision';
import { until } from './support/until';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM';
/** So that a firewall may go some seconds after its last use; more sweeps than that would use up the budget of a minute. */
const QUICK = {
  SWEEP_INTERVAL_SECONDS: '3',
  ORPHAN_GRACE_SECONDS: '1',
  PROVIDER_TIMEOUT_SECONDS: '2',
  LEASE_SECONDS: '2',
  HEARTBEAT_SECONDS: '1',
  CONTROLLER_CIDRS: '127.0.0.1/32',
};
const FAR_AWAY = ['192.0.2.0/24', '2001:db8::/32'];
const WAIT = { prefer: 'wait=90' };

const CASES = [
  {
    ...{ providerType: 'hetzner' as const, serverType: 'cx33', server: '^/servers$' },
    quota: {
      status: 403,
      body: { error: { code: 'resource_limit_exceeded', message: 'firewall limit exceeded', details: null } },
    },
  },
  {
    ...{ providerType: 'digital-ocean' as const, serverType: 's-1vcpu-2gb', server: '^/droplets$' },
    quota: { status: 422, body: { id: 'unprocessable_entity', message: 'this will exceed your firewall limit' } },
  },
];

describe.each(CASES)('the firewall before servers at $providerType', ({ providerType, serverType, server, quota }) => {
  let installation: Installation;
  let controllers: Controller[];

  beforeAll(async () => {
    installation = await Installation.create();
    controllers = await Promise.all([installation.startController(QUICK), installation.startController(QUICK)]);
  });
  afterEach(() => installation.emulator.clearFaults());
  afterAll(() => installation.dispose());

  const api = (index = 0) => controllers[index]!.api;
  const order = (changes: Record<string, unknown>, headers = {}, index = 0): Promise<Answer<ProvisionedClientView>> =>
    provision(api(index), { providerType, serverType, ...changes }, headers);
  const remove = async (id: string) =>
    expect((await api(1).delete(`/api/clients/${id}/provisioning`, WAIT)).status).toBe(204);
  const sent = async (method: string, path: string) =>
    (await installation.emulator.requests()).filter((each) => each.method === method && each.path.endsWith(path));
  const serversOf = async (...ids: string[]): Promise<EmulatedServerView[]> => {
    const infos = await Promise.all(ids.map((id) => info(api(), id)));
    return (await installation.emulator.servers()).filter((each) => infos.some(({ serverId }) => serverId === each.id));
  };
  /** Each test has a port of its own. */
  const withPort = async (port: number) =>
    (await installation.emulator.firewalls()).filter(({ inbound }) =>
      inbound.some((rule) => rule.port === String(port)),
    );
  const untilSwept = (port: number) =>
    until(
      () => withPort(port),
      (firewalls) => firewalls.length === 0,
    );

  it('stands there from the first moment, is one for both, lets in what was asked for, and goes when both are gone', async () => {
    const madeBefore = (await sent('POST', '/firewalls')).length;
    const changes = { allowedCidrs: FAR_AWAY, sshKeys: [KEY], agentWsPort: 8443 };
    const answers = await Promise.all([
      order(changes, WAIT),
      order({ ...changes, allowedCidrs: [...FAR_AWAY].reverse() }, WAIT),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    const ids = answers.map(({ body }) => body.id);
    const { firewall, configuration } = await info(api(), ids[0]!);
    expect(configuration.allowedCidrs).toEqual(FAR_AWAY);
    const servers = await serversOf(...ids);
    expect(servers.map(({ firewallsAtOrder }) => firewallsAtOrder)).toEqual([[firewall], [firewall]]);
    const inbound = servers[0]?.firewalls.flatMap((each) => each.inbound) ?? [];
    expect(inbound.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual(['tcp 3000', 'tcp 8443', 'tcp 22']);
    const [toApi = [], ...others] = inbound.map(({ sources }) => [...sources].sort());
    // The controller got through to the API, and nobody here to anything else.
    expect(toApi).toEqual([...FAR_AWAY, '127.0.0.1/32'].sort());
    expect(others).toEqual([FAR_AWAY, FAR_AWAY]);
    expect(await Promise.all(servers.map(({ address }) => isOpen(address, 8443)))).toEqual([false, false]);
    // Both controllers may have asked at the same moment; the provider has one.
    expect(await withPort(8443)).toHaveLength(1);
    expect((await sent('POST', '/firewalls')).length).toBeLessThanOrEqual(madeBefore + 2);

    await remove(ids[0]!);
    await remove(ids[1]!);
    await untilSwept(8443);
  });

  it('is open to everybody at the two ports when nothing else was asked for', async () => {
    const { body } = await order({}, WAIT);
    const [seen] = await serversOf(body.id);
    const anywhere = ['0.0.0.0/0', '::/0'];
    expect(seen?.firewalls.flatMap((each) => each.inbound)).toEqual([
      { protocol: 'tcp', port: '3000', sources: anywhere },
      { protocol: 'tcp', port: '8080', sources: anywhere },
    ]);
    expect(await isOpen(seen?.address ?? '', 8080)).toBe(true);
    await remove(body.id);
  });

  it('is made once, or at most by each of two controllers, for many orders at once', async () => {
    const madeBefore = (await sent('POST', '/firewalls')).length;
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => order({ agentWsPort: 9000 }, WAIT, i % 2)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
    const ids = answers.map(({ body }) => body.id);
    const names = (await serversOf(...ids)).map(({ firewallsAtOrder }) => firewallsAtOrder.join());
    expect(names).toHaveLength(8);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^agent-controller-firewall-/);
    expect((await sent('POST', '/firewalls')).length - madeBefore).toBeLessThanOrEqual(2);
    await Promise.all(ids.map(remove));
  });

  it('fails the provisioning where there may be no more of them, orders nothing, and a retry goes on', async () => {
    await installation.emulator.addFault({ method: 'POST', path: '^/firewalls$', ...quota });
    const ordersBefore = (await sent('POST', server.slice(1, -1))).length;
    const { body } = await order({ agentWsPort: 9001 });
    const { phase, lastError, firewall } = await untilPhase(api(), body.id, 'failed');
    expect({ phase, firewall }).toEqual({ phase: 'failed', firewall: null });
    expect(lastError).toMatchObject({
      code: 'provider-quota',
      message: expect.stringContaining('firewall could not be made'),
      action: expect.stringContaining('limit of firewalls'),
    });
    expect((await sent('POST', server.slice(1, -1))).length).toBe(ordersBefore);
    await installation.emulator.clearFaults();
    expect((await api().post(`/api/clients/${body.id}/provisioning/retry`)).status).toBe(202);
    expect((await untilPhase(api(), body.id, 'ready')).phase).toBe('ready');
    await remove(body.id);
  });

  it('is left for the sweep when its controller dies before the order', async () => {
    await installation.emulator.addFault({ method: 'POST', path: server, hang: true, effect: 'before' });
    const doomed = await installation.startController(QUICK);
    const { body } = await provision(doomed.api, { providerType, serverType, agentWsPort: 9002 });
    await until(
      () => withPort(9002),
      (firewalls) => firewalls.length > 0,
    );
    await doomed.stop('SIGKILL');
    await installation.emulator.clearFaults();
    await remove(body.id);
    expect(await installation.emulator.serverNames()).toEqual([]);
    await untilSwept(9002);
  });

  it('is refused and previewed as it is asked for', async () => {
    const { status, body } = await order({ allowedCidrs: ['192.0.2.7'] });
    const message = 'has a wrong entry 1: it is an address without a prefix: write "192.0.2.7/32" for it alone';
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'validation-failed',
      errors: [{ field: 'allowedCidrs', message }],
    } as Partial<Problem>);
    const preview = await api().post<ProvisioningPreviewView>(
      '/api/clients/provisioning/preview',
      provisionBody({ providerType, serverType, allowedCidrs: ['192.0.2.7/32'] }),
    );
    expect(preview.body.inbound).toEqual([
      { port: 3000, sources: ['192.0.2.7/32', '127.0.0.1/32'] },
      { port: 8080, sources: ['192.0.2.7/32'] },
    ]);
  });
});

describe('a firewall that somebody deleted at DigitalOcean, which does not ask whether it is in use', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.dispose());

  it('stands before its servers again after the next sweep', async () => {
    const controller = await installation.startController(QUICK);
    const { body } = await provision(
      controller.api,
      { providerType: 'digital-ocean', serverType: 's-1vcpu-2gb' },
      WAIT,
    );
    const { firewall } = await info(controller.api, body.id);
    await installation.emulator.removeFirewalls('digital-ocean');
    const [seen] = await until(
      () => installation.emulator.servers(),
      ([server]) => server?.firewalls.length === 1,
    );
    expect(seen?.firewalls.map(({ name }) => name)).toEqual([firewall]);
    await controller.untilLogged('was deleted by hand; put right');
    await controller.api.delete(`/api/clients/${body.id}/provisioning`, WAIT);
  });
});

/** Whether somebody here gets through to the port, which answers by TLS. */
function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
