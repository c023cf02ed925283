import type { ClientView, ProvisioningEventView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { info, provision } from './support/provision';
import { until } from './support/until';

const QUICK = { HEALTH_CHECK_INTERVAL_SECONDS: '1' };

describe('after ready', () => {
  let installation: Installation;
  let controllers: Controller[];

  beforeAll(async () => {
    installation = await Installation.create();
    controllers = await Promise.all([installation.startController(QUICK), installation.startController(QUICK)]);
  });
  afterAll(() => installation.dispose());

  const api = () => controllers[0]!.api;

  const listed = async (id: string) =>
    (await api().get<ClientView[]>('/api/clients')).body.find((client) => client.id === id);

  const healthEvents = async (id: string) =>
    (await api().get<ProvisioningEventView[]>(`/api/clients/${id}/provisioning/events`)).body.filter(
      ({ type }) => type === 'health',
    );

  async function untilHealth(id: string, health: string): Promise<string> {
    const seen = await until(
      () => info(api(), id),
      (answer) => answer.health === health,
    );
    expect(seen.phase).toBe('ready');
    expect(Date.parse(seen.healthSince ?? '')).toBeLessThanOrEqual(Date.parse(seen.healthCheckedAt ?? ''));
    expect(await listed(id)).toMatchObject({ health, healthSince: seen.healthSince });
    return seen.healthSince ?? '';
  }

  it('shows what becomes of an agent-manager: unreachable, refusing, healthy; each told once', async () => {
    const { status, body } = await provision(api(), {}, { prefer: 'wait=90' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ health: 'healthy', healthSince: expect.any(String) as string });
    const [server] = await installation.emulator.servers();
    const times = [await untilHealth(body.id, 'healthy')];

    await installation.emulator.setAgent(server!.id, 'down');
    times.push(await untilHealth(body.id, 'unreachable'));
    await installation.emulator.setAgent(server!.id, 'refuses-credentials');
    times.push(await untilHealth(body.id, 'credentials-refused'));
    await installation.emulator.setAgent(server!.id, 'up');
    times.push(await untilHealth(body.id, 'healthy'));
    expect(times).toEqual([...times].sort());
    expect(new Set(times).size).toBe(4);

    const told = await healthEvents(body.id);
    expect(told.map(({ message, data }) => [message, data?.['health'], data?.['since']])).toEqual([
      ['The agent-manager does not answer as it should: /api/health answers 502', 'unreachable', times[1]],
      [
        "The agent-manager refuses its clients' credentials: /api/config answers 401 to our credentials",
        'credentials-refused',
        times[2],
      ],
      ['The agent-manager is healthy again', 'healthy', times[3]],
    ]);
    const logs = (await Promise.all(controllers.map((controller) => controller.wholeLog()))).join('\n');
    expect(logs.split('the health of an agent-manager changed')).toHaveLength(4);
    expect(logs).not.toContain(body.apiKey);

    const metrics = await (await api().open('/metrics', {})).text();
    expect(metrics).toContain('agents{health="healthy"} 1');
    expect(metrics).toContain('agents{health="unreachable"} 0');

    expect((await api().delete(`/api/clients/${body.id}/provisioning`, { prefer: 'wait=60' })).status).toBe(204);
    expect(await listed(body.id)).toBeUndefined();
  });

  it('has none for an agent-manager that was registered by hand', async () => {
    const { body } = await api().post<ClientView>('/api/clients', {
      name: 'external',
      endpoint: 'https://agent.example.com',
      authenticationType: 'api_key',
      apiKey: 'its-key',
    });
    expect(body).toMatchObject({ health: null, healthSince: null, healthCheckedAt: null });
    await api().delete(`/api/clients/${body.id}`);
  });
});
