import type { HealthReadyView, ProvisioningEventView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

const LIMIT_SECONDS = 20;
const IMPATIENT = {
  PROVISIONING_TIMEOUT_SECONDS: String(LIMIT_SECONDS),
  CREATING_SERVER_TIMEOUT_SECONDS: String(LIMIT_SECONDS),
  BOOTING_TIMEOUT_SECONDS: String(LIMIT_SECONDS),
};
const AWAY = { provider: 'hetzner', status: 503, body: '<html>Service Unavailable</html>' };
const GONE = { prefer: 'wait=60' };
const CATALOGUE = '/api/clients/provisioning/providers/hetzner/server-types';

describe.each([
  {
    providerType: 'hetzner' as const,
    emulated: 'hetzner' as const,
    serverType: 'cx33',
    limit: 3_600,
    orders: '/servers',
  },
  {
    providerType: 'digital-ocean' as const,
    emulated: 'digitalocean' as const,
    serverType: 's-1vcpu-2gb',
    limit: 5_000,
    orders: '/droplets',
  },
])('the request budget of a project at $providerType, with two controllers', (at) => {
  let installation: Installation;
  let controllers: Controller[];

  beforeAll(async () => {
    installation = await Installation.create();
    controllers = await Promise.all([installation.startController(), installation.startController()]);
    for (const { api } of controllers) await api.get(CATALOGUE.replace('hetzner', at.providerType));
  });
  afterAll(() => installation.dispose());

  const api = (index: number) => controllers[index]!.api;
  const order = (index: number) => provision(api(index), { providerType: at.providerType, serverType: at.serverType });
  const countOrders = async () =>
    (await installation.emulator.requests()).filter(({ method, path }) => method === 'POST' && path.endsWith(at.orders))
      .length;
  const left = async (index: number) => {
    const { body } = await api(index).get<HealthReadyView>('/api/health/ready');
    return body.providerDetails.find(({ type }) => type === at.providerType)?.budget;
  };

  it('orders wait when it is low, deletion goes on, and everything ends well when it is back', async () => {
    const { body: first } = await order(0);
    const { body: second } = await order(1);
    await untilPhase(api(0), first.id, 'ready');
    await untilPhase(api(0), second.id, 'ready');
    const before = await countOrders();

    // Between the floors of orders and of deletion.
    await installation.emulator.setBudget(at.emulated, at.limit * 0.06);
    // A look that is younger than a second would be answered in place of a new one.
    const told = await until(
      async () => {
        await api(0).get(`/api/clients/${first.id}/provisioning/info?refresh=true`);
        return left(1);
      },
      (budget) => (budget?.remaining ?? Infinity) < at.limit * 0.1,
    );
    expect(told?.limit).toBe(at.limit);

    const orders = await Promise.all([order(0), order(1)]);
    for (const { status, body } of orders) {
      expect(status).toBe(202);
      const waiting = await until(
        () => info(api(0), body.id),
        ({ lastError }) => lastError !== null,
      );
      expect(waiting).toMatchObject({ phase: 'creating-server', lastError: { code: 'provider-rate-limited' } });
      expect(waiting.lastError?.message).toContain('ordering waits');
    }
    expect(
      await installation.query(
        `SELECT count(*)::integer AS paused, count(create_requested_at)::integer AS announced
         FROM provisioning_references WHERE phase = 'creating-server' AND paused_since IS NOT NULL`,
      ),
    ).toEqual([{ paused: 2, announced: 0 }]);
    expect((await api(1).delete(`/api/clients/${first.id}/provisioning`, GONE)).status).toBe(204);
    expect(await countOrders()).toBe(before);

    // The next answer tells of it: that of a deletion, since nothing else is sent.
    await installation.emulator.setBudget(at.emulated, at.limit);
    expect((await api(0).delete(`/api/clients/${second.id}/provisioning`, GONE)).status).toBe(204);
    for (const { body } of orders) {
      expect((await untilPhase(api(1), body.id, 'ready')).lastError).toBeNull();
      const events = await api(0).get<ProvisioningEventView[]>(`/api/clients/${body.id}/provisioning/events`);
      const told = events.body.filter(({ data }) => data?.['code'] === 'provider-rate-limited');
      expect(told).toHaveLength(1);
    }
    expect(await countOrders()).toBe(before + 2);
    expect((await installation.emulator.requests()).filter(({ status }) => status === 429)).toEqual([]);
    expect(await installation.emulator.serverNames()).toHaveLength(2);
    for (const { body } of orders) await api(0).delete(`/api/clients/${body.id}/provisioning`, GONE);
  });
});

describe('a provider that is away for longer than every time limit', () => {
  let installation: Installation;
  let controllers: Controller[];

  beforeAll(async () => {
    installation = await Installation.create();
    controllers = await Promise.all([installation.startController(IMPATIENT), installation.startController(IMPATIENT)]);
    for (const { api } of controllers) await api.get(CATALOGUE);
  });
  afterAll(() => installation.dispose());

  const api = (index: number) => controllers[index]!.api;
  const conditionSeenBy = async (index: number) => {
    const { status, body } = await api(index).get<HealthReadyView>('/api/health/ready');
    expect([status, body.status, body.providers]).toEqual([200, 'ok', ['hetzner', 'digital-ocean']]);
    return body.providerDetails.find(({ type }) => type === 'hetzner')!;
  };
  const untilCircuit = (index: number, circuit: 'open' | 'closed') =>
    until(
      () => conditionSeenBy(index),
      (condition) => condition.circuit === circuit,
    );

  it('nothing fails: what orders, boots or deletes waits, visibly, and goes on afterwards', async () => {
    const { body: deleted } = await provision(api(0));
    await untilPhase(api(0), deleted.id, 'ready');
    expect(await conditionSeenBy(1)).toMatchObject({ circuit: 'closed', openSince: null, retryAt: null });

    // An order is answered, and then nothing else.
    await installation.emulator.addFault({ ...AWAY, method: 'GET', path: '^/servers' });
    const { body: booting } = await provision(api(1));
    await untilPhase(api(0), booting.id, 'booting');
    await installation.emulator.addFault(AWAY);
    const { body: ordering } = await provision(api(0));
    await api(1).delete(`/api/clients/${deleted.id}/provisioning`);

    const open = await untilCircuit(0, 'open');
    expect(await conditionSeenBy(1)).toMatchObject({ circuit: 'open', openSince: open.openSince });
    expect(await (await api(1).open('/metrics')).text()).toContain('provider_circuit_open{provider="hetzner"} 1');
    const waiting = { [ordering.id]: 'creating-server', [booting.id]: 'booting', [deleted.id]: 'deleting' };
    for (const [id, phase] of Object.entries(waiting)) {
      const seen = await until(
        () => info(api(0), id),
        ({ lastError }) => lastError !== null,
      );
      expect(seen).toMatchObject({
        phase,
        lastError: { code: expect.stringMatching(/^(provider-unavailable|outcome-unknown)$/) as string },
      });
    }
    await until(
      () =>
        installation.query(
          `SELECT 1 FROM provisioning_references
           WHERE phase IN ('creating-server', 'booting') AND phase_since < now() - interval '${LIMIT_SECONDS + 2} seconds'`,
        ),
      (rows) => rows.length === 2,
    );
    for (const [id, phase] of Object.entries(waiting)) expect((await info(api(1), id)).phase).toBe(phase);

    await installation.emulator.clearFaults();
    for (const { id } of [ordering, booting]) {
      expect(await untilPhase(api(0), id, 'ready', 150_000)).toMatchObject({ phase: 'ready', attempt: 1 });
    }
    await until(
      () => api(1).get(`/api/clients/${deleted.id}`),
      ({ status }) => status === 404,
    );
    expect(await untilCircuit(1, 'closed')).toMatchObject({ openSince: null, retryAt: null });
    expect(await installation.emulator.serverNames()).toHaveLength(2);
    const events = await api(0).get<ProvisioningEventView[]>(`/api/clients/${booting.id}/provisioning/events`);
    expect(events.body.filter(({ data }) => data?.['code'] === 'provider-unavailable')).toHaveLength(1);
  });
});
