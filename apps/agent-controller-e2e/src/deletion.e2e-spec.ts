import { Installation, type Controller } from './support/controller-process';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

const WAIT = { prefer: 'wait=60' };

describe('DELETE works in every phase', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterEach(() => installation.emulator.clearFaults());
  afterAll(() => installation.dispose());

  async function expectGone(id: string): Promise<void> {
    expect((await controller.api.delete(`/api/clients/${id}/provisioning`, WAIT)).status).toBe(204);
    expect(await installation.emulator.serverNames()).toEqual([]);
    expect(await installation.query(`SELECT id FROM clients WHERE id = '${id}'`)).toEqual([]);
  }

  it('while the order is under way: its server is saved, then deleted', async () => {
    await installation.emulator.addFault({
      provider: 'hetzner',
      method: 'POST',
      path: '^/servers$',
      delayMs: 1500,
      times: 1,
    });
    const { body } = await provision(controller.api);
    await until(
      () => installation.query(`SELECT 1 FROM provisioning_references WHERE create_requested_at IS NOT NULL`),
      (rows) => rows.length === 1,
    );
    expect((await info(controller.api, body.id)).phase).toBe('creating-server');
    await expectGone(body.id);
    const events = await controller.api.get<{ type: string; message: string }[]>(
      `/api/clients/${body.id}/provisioning/events`,
    );
    expect(events.body.some(({ message }) => message.includes('accepted the order'))).toBe(true);
  });

  it('while it boots', async () => {
    await installation.emulator.addFault({ provider: 'digitalocean', method: 'GET', path: '^/droplets', status: 503 });
    const { body } = await provision(controller.api, { providerType: 'digital-ocean', serverType: 's-2vcpu-4gb' });
    await untilPhase(controller.api, body.id, 'booting');
    expect((await controller.api.delete(`/api/clients/${body.id}/provisioning`)).status).toBe(202);
    await installation.emulator.clearFaults();
    await expectGone(body.id);
  });

  it('while it installs', async () => {
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', bootFailure: true, times: 1 });
    const { body } = await provision(controller.api);
    await untilPhase(controller.api, body.id, 'installing');
    await expectGone(body.id);
  });

  it('while it starts: here Keycloak refuses our credentials, which is never ready', async () => {
    const keycloak = { authenticationType: 'keycloak', keycloakClientId: 'refused', keycloakRealm: 'other' };
    await installation.emulator.registerKeycloakClient({ realm: 'other', clientId: 'refused', secret: 'right' });
    const { body } = await provision(controller.api, { ...keycloak, keycloakClientSecret: 'wrong' });
    await untilPhase(controller.api, body.id, 'starting');
    const seen = await until(
      () => info(controller.api, body.id),
      ({ message }) => message.includes('Keycloak refuses'),
    );
    expect(seen.phase).toBe('starting');
    await expectGone(body.id);
  });

  it('after a failure, and repeatedly', async () => {
    await installation.emulator.addFault({
      method: 'POST',
      path: '^/servers$',
      status: 403,
      body: { error: { code: 'resource_limit_exceeded', message: 'server limit exceeded', details: null } },
      times: 1,
    });
    const { body } = await provision(controller.api);
    await untilPhase(controller.api, body.id, 'failed');
    await expectGone(body.id);
    expect((await controller.api.delete(`/api/clients/${body.id}/provisioning`)).status).toBe(204);
  });

  it('goes on after the provider was away, and says nothing is gone before the provider does', async () => {
    const ready = await provision(controller.api, {}, WAIT);
    expect(ready.status).toBe(201);
    await installation.emulator.addFault({
      method: 'DELETE',
      path: '^/servers/',
      status: 503,
      body: '<html>away</html>',
    });
    expect((await controller.api.delete(`/api/clients/${ready.body.id}/provisioning`)).status).toBe(202);
    const seen = await until(
      () => info(controller.api, ready.body.id),
      ({ lastError }) => lastError !== null,
    );
    expect(seen).toMatchObject({ phase: 'deleting', intent: 'absent' });
    expect(await installation.emulator.serverNames()).toHaveLength(1);
    await installation.emulator.clearFaults();
    await expectGone(ready.body.id);
  });

  it("does not believe a wrong project's token that nothing is there", async () => {
    const ready = await provision(controller.api, {}, WAIT);
    await controller.stop();
    const stranger = await installation.startController({ HETZNER_API_TOKEN: `${installation.token}-other` });
    const refused = await stranger.api.delete<{ code: string; detail: string }>(
      `/api/clients/${ready.body.id}/provisioning`,
      WAIT,
    );
    expect(refused.status).toBe(502);
    expect(refused.body).toMatchObject({ code: 'provisioning-failed', failure: { code: 'wrong-project' } });
    expect(await installation.emulator.serverNames()).toHaveLength(1);
    await stranger.stop();

    controller = await installation.startController();
    expect(await info(controller.api, ready.body.id)).toMatchObject({ phase: 'failed', intent: 'absent' });
    expect((await controller.api.post(`/api/clients/${ready.body.id}/provisioning/retry`)).status).toBe(202);
    await expectGone(ready.body.id);
  });
});
