import type { AbandonedServerView, Problem } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { readEvents } from './support/event-stream';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

const WAIT = { prefer: 'wait=120' };
const AWAY = { status: 503, body: '<html>away</html>' };

const PROVIDERS = [
  {
    providerType: 'hetzner',
    serverType: 'cx33',
    provider: 'hetzner',
    order: '^/servers$',
    server: '^/servers/',
    keys: '^/ssh_keys',
    busy: { status: 423, body: { error: { code: 'locked', message: 'server is locked', details: null } } },
    busyToo: { status: 422, body: { error: { code: 'must_be_unassigned', message: 'unassign', details: null } } },
  },
  {
    providerType: 'digital-ocean',
    serverType: 's-2vcpu-4gb',
    provider: 'digitalocean',
    order: '^/droplets$',
    server: '^/droplets/',
    keys: '^/account/keys',
    busy: pendingEvent(),
    busyToo: pendingEvent(),
  },
] as const;

function pendingEvent() {
  const body = { id: 'unprocessable_entity', message: 'Droplet already has a pending event.', request_id: 'r' };
  return { status: 422, body };
}

// The key of a new name, so that it must be put into the project before anything is ordered.
const newKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM ops';

describe.each(PROVIDERS)('deleting at $providerType', (at) => {
  let installation: Installation;
  let controller: Controller;
  const wanted = { providerType: at.providerType, serverType: at.serverType };

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterEach(() => installation.emulator.clearFaults());
  afterAll(() => installation.dispose());

  const path = (id: string) => `/api/clients/${id}/provisioning`;
  const fault = (trouble: object) => installation.emulator.addFault({ provider: at.provider, ...trouble });
  const row = async (id: string) =>
    (
      await installation.query<Record<string, unknown>>(
        `SELECT * FROM provisioning_references WHERE client_id = '${id}'`,
      )
    )[0];

  async function expectGone(id: string): Promise<void> {
    expect((await controller.api.delete(path(id), WAIT)).status).toBe(204);
    expect(await installation.emulator.serverNames()).toEqual([]);
    expect(await installation.query(`SELECT id FROM clients WHERE id = '${id}'`)).toEqual([]);
    expect(await row(id)).toBeUndefined();
    const tombstones = await installation.query(`SELECT 1 FROM provisioning_tombstones WHERE client_id = '${id}'`);
    expect(tombstones).toHaveLength(1);
    expect((await controller.api.delete(path(id))).status).toBe(204);
  }

  /** Each brings a provisioning into a phase, and keeps it there until the faults are cleared. */
  const phases: Record<string, () => Promise<string>> = {
    'creating-server, before anything was announced': async () => {
      await fault({ method: 'GET', path: at.keys, ...AWAY });
      const { body } = await provision(controller.api, { ...wanted, sshKeys: [newKey] });
      await until(
        () => info(controller.api, body.id),
        ({ lastError }) => lastError !== null,
      );
      expect(await row(body.id)).toMatchObject({ phase: 'creating-server', create_requested_at: null });
      return body.id;
    },
    'creating-server, while the order is on its way': async () => {
      await fault({ method: 'POST', path: at.order, delayMs: 1_500, times: 1 });
      const { body } = await provision(controller.api, wanted);
      await untilOrdered(body.id);
      return body.id;
    },
    'creating-server, after the answer was lost': async () => {
      await fault({ method: 'GET', path: at.order, ...AWAY });
      await fault({ method: 'POST', path: at.order, dropAnswer: true, times: 1 });
      const { body } = await provision(controller.api, wanted);
      await untilOrdered(body.id);
      await until(
        () => info(controller.api, body.id),
        ({ lastError }) => lastError !== null,
      );
      expect(await row(body.id)).toMatchObject({ phase: 'creating-server', server_id: null });
      return body.id;
    },
    booting: async () => {
      await fault({ method: 'GET', path: at.order.replace('$', ''), ...AWAY });
      const { body } = await provision(controller.api, wanted);
      await untilPhase(controller.api, body.id, 'booting');
      return body.id;
    },
    installing: async () => {
      await fault({ method: 'POST', path: at.order, bootFailure: true, times: 1 });
      const { body } = await provision(controller.api, wanted);
      await untilPhase(controller.api, body.id, 'installing');
      return body.id;
    },
    starting: async () => {
      const realm = { authenticationType: 'keycloak', keycloakClientId: 'refused', keycloakRealm: 'other' };
      await installation.emulator.registerKeycloakClient({ realm: 'other', clientId: 'refused', secret: 'right' });
      const { body } = await provision(controller.api, { ...wanted, ...realm, keycloakClientSecret: 'wrong' });
      await until(
        () => info(controller.api, body.id),
        ({ phase, message }) => phase === 'starting' && message.includes('Keycloak refuses'),
      );
      return body.id;
    },
    'failed, with a server': async () => failedWithServer(),
    replacing: async () => {
      const id = await failedWithServer();
      await fault({ method: 'DELETE', path: at.server, ...AWAY });
      expect((await controller.api.post(`${path(id)}/retry`)).status).toBe(202);
      await until(
        () => info(controller.api, id),
        ({ phase, lastError }) => phase === 'replacing' && lastError !== null,
      );
      return id;
    },
    ready: async () => (await provision(controller.api, wanted, WAIT)).body.id,
  };

  const untilOrdered = (id: string) =>
    until(
      () => row(id),
      (seen) => seen?.['create_requested_at'] !== null,
    );

  async function failedWithServer(): Promise<string> {
    const installFailure = { stage: 'docker', cause: 'no such package' };
    await fault({ method: 'POST', path: at.order, installFailure, times: 1 });
    const { body } = await provision(controller.api, wanted);
    await untilPhase(controller.api, body.id, 'failed');
    return body.id;
  }

  it.each(Object.keys(phases))('in the phase %s, twice at once: 204, and nothing is left', async (name) => {
    const id = (await phases[name]?.()) ?? '';
    const both = await Promise.all([controller.api.delete(path(id)), controller.api.delete(path(id))]);
    for (const { status } of both) expect([202, 204]).toContain(status);
    await installation.emulator.clearFaults();
    await expectGone(id);
    const { body: events } = await controller.api.get<{ type: string; message: string }[]>(`${path(id)}/events`);
    expect(events.filter(({ message }) => message === 'Deletion was requested')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'deleted')).toHaveLength(1);
  });

  it('waits and asks again while the server is busy, and shows that', async () => {
    const { body } = await provision(controller.api, wanted, WAIT);
    await fault({ method: 'DELETE', path: at.server, times: 1, ...at.busy });
    await fault({ method: 'DELETE', path: at.server, times: 1, ...at.busyToo });
    expect((await controller.api.delete(path(body.id))).status).toBe(202);
    const seen = await until(
      () => info(controller.api, body.id),
      ({ lastError }) => lastError !== null,
    );
    expect(seen).toMatchObject({ phase: 'deleting', intent: 'absent', lastError: { code: 'provider-conflict' } });
    await expectGone(body.id);
  });

  it('fails with a revoked token, keeps the row, and goes on as a deletion once the token is good', async () => {
    const { body } = await provision(controller.api, wanted, WAIT);
    await installation.emulator.setTokenRevoked(true);
    const refused = await controller.api.delete<Problem>(path(body.id), WAIT);
    expect(refused).toMatchObject({ status: 502, body: { failure: { code: 'provider-auth', phase: 'deleting' } } });
    const failed = await info(controller.api, body.id);
    expect(failed).toMatchObject({ phase: 'failed', intent: 'absent' });
    expect(failed.lastError?.action).toContain('may still run, and is billed');
    await installation.emulator.setTokenRevoked(false);
    expect(await installation.emulator.serverNames()).toHaveLength(1);
    expect((await controller.api.post(`${path(body.id)}/retry`)).status).toBe(202);
    await until(
      () => row(body.id),
      (seen) => seen === undefined,
    );
    await expectGone(body.id);
  });
});

describe('what forbids a deletion, and what there is besides', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterEach(() => installation.emulator.clearFaults());
  afterAll(() => installation.dispose());

  const path = (id: string) => `/api/clients/${id}/provisioning`;
  const abandon = (id: string, reason: string) => `${path(id)}?abandon=true&reason=${encodeURIComponent(reason)}`;

  it('a protection set by hand at the provider: fails, says what to do, and goes on when it is gone', async () => {
    const { body } = await provision(controller.api, {}, WAIT);
    const error = { code: 'protected', message: 'server deletion is protected', details: null };
    await installation.emulator.addFault({ method: 'DELETE', path: '^/servers/', status: 423, body: { error } });
    const refused = await controller.api.delete<Problem>(path(body.id), WAIT);
    expect(refused).toMatchObject({ status: 502, body: { failure: { code: 'provider-invalid' } } });
    expect((await info(controller.api, body.id)).lastError?.action).toContain('delete protection');
    await installation.emulator.clearFaults();
    expect((await controller.api.delete(path(body.id), WAIT)).status).toBe(204);
  });

  it('the protection of a client, provisioned or not', async () => {
    const { body } = await provision(controller.api, { protected: true }, WAIT);
    expect(body.protected).toBe(true);
    for (const call of [path(body.id), abandon(body.id, 'closed'), `/api/clients/${body.id}`]) {
      const refused = await controller.api.delete<Problem>(call);
      expect(refused).toMatchObject({ status: 409, body: { code: 'client-protected' } });
      expect(refused.body.detail).toContain(`PATCH /api/clients/${body.id}`);
    }
    expect(await info(controller.api, body.id)).toMatchObject({ phase: 'ready', intent: 'present' });
    const patched = await controller.api.patch<{ protected: boolean }>(`/api/clients/${body.id}`, { protected: false });
    expect(patched).toMatchObject({ status: 200, body: { protected: false } });
    expect((await controller.api.delete(path(body.id), WAIT)).status).toBe(204);

    const external = { endpoint: 'https://agent.example.com', authenticationType: 'api_key', apiKey: 'key' };
    const made = await controller.api.post<{ id: string; protected: boolean }>('/api/clients', {
      ...external,
      ...{ name: 'kept', protected: true },
    });
    expect(made.body.protected).toBe(true);
    const call = `/api/clients/${made.body.id}`;
    expect(await controller.api.delete(call)).toMatchObject({ status: 409, body: { code: 'client-protected' } });
    expect((await controller.api.post<{ protected: boolean }>(call, { protected: false })).body.protected).toBe(false);
    expect((await controller.api.delete(call)).status).toBe(204);
  });

  it('a token that is not configured any more: refused, with rows as they are; or the server is given up', async () => {
    const kept = await provision(controller.api, {}, WAIT);
    const given = await provision(controller.api, {}, WAIT);
    const half = await provision(controller.api, {}, WAIT);
    const limit = { error: { code: 'resource_limit_exceeded', message: 'server limit exceeded', details: null } };
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', status: 403, body: limit, times: 1 });
    const never = await provision(controller.api);
    await untilPhase(controller.api, never.body.id, 'failed');
    await installation.emulator.addFault({ method: 'DELETE', path: '^/servers/', ...AWAY });
    expect((await controller.api.delete(path(half.body.id))).status).toBe(202);
    await untilPhase(controller.api, half.body.id, 'deleting');
    await controller.stop();

    const without = await installation.startController({ HETZNER_API_TOKEN: '' });
    const refused = await without.api.delete<Problem & { variable: string }>(path(kept.body.id));
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'provider-not-configured', variable: 'HETZNER_API_TOKEN' },
    });
    expect(refused.body.detail).toContain('?abandon=true');
    expect(await info(without.api, kept.body.id)).toMatchObject({ phase: 'ready', intent: 'present' });
    // What surely has no server needs nobody to be asked.
    expect((await without.api.delete(path(never.body.id), WAIT)).status).toBe(204);
    // The deletion that was under way says so.
    const failed = await untilPhase(without.api, half.body.id, 'failed');
    expect(failed).toMatchObject({ intent: 'absent', lastError: { code: 'provider-not-configured' } });
    const retried = await without.api.post<Problem>(`${path(half.body.id)}/retry`);
    expect(retried).toMatchObject({ status: 409, body: { code: 'provider-not-configured' } });
    const stream = await without.api.open(`${path(given.body.id)}/events`, { accept: 'text/event-stream' });
    expect((await without.api.delete(abandon(given.body.id, 'The account is closed'))).status).toBe(204);
    expect((await readEvents(stream)).at(-1)).toMatchObject({
      event: 'deleted',
      data: { data: { abandoned: true, reason: 'The account is closed' } },
    });
    expect((await without.api.delete(path(given.body.id))).status).toBe(204);
    expect((await without.api.get(`/api/clients/${given.body.id}`)).status).toBe(404);
    await without.untilLogged('a server was abandoned');
    await without.stop();

    await installation.emulator.clearFaults();
    controller = await installation.startController();
    expect((await controller.api.post(`${path(half.body.id)}/retry`)).status).toBe(202);
    for (const { body } of [half, kept]) expect((await controller.api.delete(path(body.id), WAIT)).status).toBe(204);
    // It is left as it is, and nobody touches it; but it is on record.
    expect((await installation.emulator.servers()).map(({ id }) => id)).toEqual([given.body.serverId]);
    const { body: list } = await controller.api.get<AbandonedServerView[]>('/api/clients/provisioning/abandoned');
    expect(list).toMatchObject([
      {
        clientId: given.body.id,
        serverId: given.body.serverId,
        serverName: given.body.serverName,
        publicIp: given.body.publicIp,
        reason: 'The account is closed',
        phase: 'ready',
      },
    ]);
    expect(
      await installation.query('SELECT 1 FROM provisioning_tombstones WHERE client_id = ' + `'${given.body.id}'`),
    ).toEqual([]);
  });

  it('a reason is required to give a server up, and makes no sense otherwise', async () => {
    const { body } = await provision(controller.api, {}, WAIT);
    for (const query of ['?abandon=true', '?abandon=true&reason=', '?reason=closed', '?abandon=true&reason=%20']) {
      const refused = await controller.api.delete<Problem>(path(body.id) + query);
      expect([query, refused.status, refused.body.errors?.map(({ field }) => field)]).toEqual([query, 400, ['reason']]);
    }
    expect(await info(controller.api, body.id)).toMatchObject({ phase: 'ready', intent: 'present' });
    expect((await controller.api.delete(path(body.id), WAIT)).status).toBe(204);
  });

  it('an order on its way is not given up: its server would be known to nobody', async () => {
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', delayMs: 1_500, times: 1 });
    const { body } = await provision(controller.api);
    await until(
      () => installation.query(`SELECT 1 FROM provisioning_references WHERE create_requested_at IS NOT NULL`),
      (rows) => rows.length === 1,
    );
    const refused = await controller.api.delete<Problem>(abandon(body.id, 'never mind'));
    expect(refused).toMatchObject({ status: 409, body: { code: 'order-under-way' } });
    await untilPhase(controller.api, body.id, 'ready');
    expect((await controller.api.delete(path(body.id), WAIT)).status).toBe(204);
  });
});
