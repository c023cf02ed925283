import type {
  ProviderView,
  ProvisionedClientView,
  ProvisioningEventView,
  ProvisioningInfoView,
  ServerTypeView,
} from '@agent-controller/contracts';
import { randomUUID } from 'node:crypto';
import { callAgent } from './support/agent-call';
import { Installation, type Controller } from './support/controller-process';
import { readEvents } from './support/event-stream';
import { until } from './support/until';

const GIT_TOKEN = `it's "quoted" $HOME \${USER} $$ # no comment\nsecond 'line'\n`;

describe('from a POST to a ready agent-manager, and away again', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterAll(() => installation.dispose());

  it('lists the providers and what they offer', async () => {
    const providers = await controller.api.get<ProviderView[]>('/api/clients/provisioning/providers');
    expect(providers.body).toEqual([
      { type: 'hetzner', displayName: 'Hetzner Cloud' },
      { type: 'digital-ocean', displayName: 'DigitalOcean' },
    ]);
    for (const [type, currency, location] of [
      ['hetzner', 'EUR', 'nbg1'],
      ['digital-ocean', 'USD', 'fra1'],
    ]) {
      const types = await controller.api.get<ServerTypeView[]>(
        `/api/clients/provisioning/providers/${type}/server-types`,
      );
      expect(types.body.length).toBeGreaterThan(5);
      expect(types.body.every((each) => each.currency === currency && each.priceMonthly > 0)).toBe(true);
      const there = await controller.api.get<ServerTypeView[]>(
        `/api/clients/provisioning/providers/${type}/server-types?location=${location}`,
      );
      expect(there.body.every(({ locations }) => locations.length === 1 && locations[0]?.id === location)).toBe(true);
      const locations = await controller.api.get<{ id: string }[]>(
        `/api/clients/provisioning/providers/${type}/locations`,
      );
      expect(locations.body.map(({ id }) => id)).toContain(location);
    }
  });

  it('hetzner with an API key: 202, events to ready, info, the agent answers, all is deleted', async () => {
    const apiKey = randomUUID();
    const started = await controller.api.post<ProvisionedClientView>('/api/clients/provisioning/provision', {
      providerType: 'hetzner',
      serverType: 'cx23',
      name: 'with-key',
      authenticationType: 'api_key',
      apiKey,
      gitRepositoryUrl: 'https://git.example.com/team/project.git',
      gitToken: GIT_TOKEN,
      environment: { GIT_COMMIT_AUTHOR_NAME: 'An "Agent" $1' },
      agentWsPort: 8443,
    });
    expect(started.status).toBe(202);
    const { id } = started.body;
    const infoPath = `/api/clients/${id}/provisioning/info`;
    expect(started.headers.get('location')).toBe(infoPath);
    expect(Number(started.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(started.body).toMatchObject({ apiKey, isAutoProvisioned: true, endpoint: null, providerType: 'hetzner' });

    const streaming = controller.api
      .open(`/api/clients/${id}/provisioning/events`, { accept: 'text/event-stream' })
      .then((response) => {
        expect(response.headers.get('content-type')).toContain('text/event-stream');
        return readEvents(response);
      });
    const waited = await controller.api.post<ProvisionedClientView>(
      '/api/clients/provisioning/provision',
      { providerType: 'hetzner', serverType: 'cx33', authenticationType: 'api_key' },
      { prefer: 'wait=60' },
    );
    expect(waited.status).toBe(201);
    expect(waited.body.provisioning).toMatchObject({ phase: 'ready', progress: 100 });
    expect(waited.body.apiKey).toMatch(/^[\w-]{40,}$/);
    expect(waited.body.name).toMatch(/^agent-[0-9a-f]{8}$/);

    const info = await untilReady(id);
    const [server] = (await installation.emulator.servers()).filter(({ name }) => name.startsWith('with-key'));
    expect(server?.agentEnvironment).toMatchObject({
      GIT_TOKEN,
      GIT_COMMIT_AUTHOR_NAME: 'An "Agent" $1',
      STATIC_API_KEY: apiKey,
    });
    expect(info).toMatchObject({
      phase: 'ready',
      serverId: server?.id,
      serverName: server?.name,
      publicIp: server?.address,
      serverStatus: 'running',
      image: 'debian-13',
      attempt: 1,
      currency: 'EUR',
      monthlyCost: server?.cost.monthly,
      lastError: null,
      warnings: [],
      configuration: { agentWsPort: 8443, gitRepositoryUrl: 'https://git.example.com/team/project.git' },
    });
    const phases = ['creating-server', 'booting', 'installing', 'starting', 'ready'] as const;
    const times = phases.map((phase) => Date.parse(info.phaseTimes[phase] ?? ''));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    await expectAgent(info, apiKey);
    await expectNoSecretKept([apiKey, "second 'line'", 'An \\"Agent']);

    for (const client of [id, waited.body.id]) {
      const gone = await controller.api.delete(`/api/clients/${client}/provisioning`, { prefer: 'wait=60' });
      expect(gone.status).toBe(204);
    }
    const events = await streaming;
    expect(events.map((event) => Number(event.id))).toEqual(events.map((_event, index) => index + 1));
    expect(events.filter(({ event }) => event === 'phase').map(({ data }) => data.phase)).toEqual([
      'creating-server',
      'booting',
      'installing',
      'starting',
      'ready',
      'deleting',
    ]);
    expect(events.at(-1)?.event).toBe('deleted');
    await expectNothingLeft([id, waited.body.id]);
    const kept = await controller.api.get<ProvisioningEventView[]>(`/api/clients/${id}/provisioning/events`, {
      'last-event-id': String(events.length - 1),
    });
    expect(kept.body.map(({ type }) => type)).toEqual(['deleted']);
    // A browser's EventSource comes back by itself after the end.
    const again = { 'last-event-id': String(events.length), accept: 'text/event-stream' };
    expect((await controller.api.get(`/api/clients/${id}/provisioning/events`, again)).status).toBe(204);
  });

  it('digital-ocean with Keycloak: ready within one call, and away again', async () => {
    const ready = await controller.api.post<ProvisionedClientView>(
      '/api/clients/provisioning/provision',
      {
        providerType: 'digital-ocean',
        serverType: 's-2vcpu-4gb',
        location: 'fra1',
        authenticationType: 'keycloak',
        keycloakClientId: 'agents',
        keycloakClientSecret: 'se"cr$et\n#',
        gitRepositoryUrl: 'git@git.example.com:team/project.git',
        gitPrivateKey: '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n',
      },
      { prefer: 'wait=60' },
    );
    expect(ready.status).toBe(201);
    expect(ready.body).toMatchObject({
      apiKey: null,
      authenticationType: 'keycloak',
      config: { gitRepositoryUrl: 'git@git.example.com:team/project.git', agentTypes: ['cursor'] },
    });
    const { body: info } = await controller.api.get<ProvisioningInfoView>(
      `/api/clients/${ready.body.id}/provisioning/info`,
    );
    expect(info).toMatchObject({
      currency: 'USD',
      location: 'fra1',
      privateIp: expect.stringMatching(/^10\./) as string,
    });
    expect(info.publicIp).not.toBe(info.privateIp);
    const refused = await callAgent(info.endpoint ?? '', info.tls as never, '/api/config');
    expect(refused.status).toBe(401);

    const accepted = await controller.api.delete(`/api/clients/${ready.body.id}/provisioning`);
    expect(accepted.status).toBe(202);
    const gone = await controller.api.delete(`/api/clients/${ready.body.id}/provisioning`, { prefer: 'wait' });
    expect({ status: gone.status, body: gone.body as unknown }).toEqual({ status: 204, body: undefined });
    await expectNothingLeft([ready.body.id]);
  });

  async function untilReady(id: string): Promise<ProvisioningInfoView> {
    const answer = await until(
      () => controller.api.get<ProvisioningInfoView>(`/api/clients/${id}/provisioning/info`),
      ({ body }) => body.phase === 'ready' || body.phase === 'failed',
    );
    return answer.body;
  }

  async function expectAgent(info: ProvisioningInfoView, apiKey: string): Promise<void> {
    const { endpoint, tls } = info;
    if (!endpoint || !tls) throw new Error('A ready provisioning has no endpoint or no tls');
    expect((await callAgent(endpoint, tls, '/api/health')).status).toBe(200);
    expect((await callAgent(endpoint, tls, '/api/config')).status).toBe(401);
    const config = await callAgent(endpoint, tls, '/api/config', `Bearer ${apiKey}`);
    expect(JSON.parse(config.body)).toMatchObject({ gitRepositoryUrl: 'https://git.example.com/team/project.git' });
  }

  /** Wiped at ready, or sealed; and never in the log. */
  async function expectNoSecretKept(secrets: string[]): Promise<void> {
    const kept = await installation.query<{ sealed: string | null }>(
      "SELECT sealed_secrets AS sealed FROM provisioning_references WHERE phase = 'ready'",
    );
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.every(({ sealed }) => sealed === null)).toBe(true);
    const stored = await installation.everythingStored();
    for (const secret of [...secrets, installation.token, installation.apiKey]) {
      expect(stored.includes(secret)).toBe(false);
      expect((await controller.wholeLog()).includes(secret)).toBe(false);
    }
  }

  async function expectNothingLeft(ids: string[]): Promise<void> {
    expect(await installation.emulator.serverNames()).toEqual([]);
    const clients = await controller.api.get('/api/clients');
    expect(clients.body).toEqual([]);
    const [rows] = await installation.query(
      'SELECT (SELECT count(*) FROM clients)::int AS clients, (SELECT count(*) FROM provisioning_references)::int AS "references"',
    );
    expect(rows).toEqual({ clients: 0, references: 0 });
    for (const id of ids) {
      expect((await controller.api.get(`/api/clients/${id}/provisioning/info`)).status).toBe(404);
      expect((await controller.api.delete(`/api/clients/${id}/provisioning`)).status).toBe(204);
    }
  }
});
