import type {
  ClientView,
  OrphanReportView,
  ProvisionedClientView,
  ProvisioningEventView,
  ProvisioningInfoView,
} from '@agent-controller/contracts';
import { randomUUID } from 'node:crypto';
import { Installation, type Controller } from './support/controller-process';
import { info, provision, untilPhase } from './support/provision';
import { StrayServers, type Provider } from './support/stray-servers';
import { until } from './support/until';

const QUICK = { SWEEP_INTERVAL_SECONDS: '1', LOST_AFTER_SECONDS: '1' };
const ORPHANS = '/api/clients/provisioning/orphans';
const WAIT = { prefer: 'wait=60' };
const TYPES = { hetzner: 'cx33', 'digital-ocean': 's-2vcpu-4gb' };

describe('the sweep', () => {
  let installation: Installation;
  let controllers: Controller[];
  let strays: StrayServers;
  let instanceId: string;

  beforeAll(async () => {
    installation = await Installation.create();
    strays = new StrayServers(installation.token);
    controllers = await Promise.all([installation.startController(QUICK), installation.startController(QUICK)]);
    await untilSwept();
    [{ id: instanceId }] = (await installation.query<{ id: string }>('SELECT instance_id AS id FROM instance')) as [
      { id: string },
    ];
  });
  afterAll(() => installation.dispose());

  const api = () => controllers[0]!.api;
  const report = async () => (await api().get<OrphanReportView>(ORPHANS)).body;

  /** What comes from the database is some seconds old at most. */
  const metricsWith = (line: string) =>
    until(
      async () => (await api().open('/metrics')).text(),
      (text) => text.includes(line),
    );

  /** Until each provider was compared, from its beginning on, after now. */
  async function untilSwept(): Promise<OrphanReportView> {
    const now = Date.now();
    return until(report, ({ sweeps }) =>
      sweeps.every(
        ({ lastStartedAt, lastCompletedAt }) =>
          Date.parse(lastStartedAt ?? '') >= now &&
          Date.parse(lastCompletedAt ?? '') >= Date.parse(lastStartedAt ?? ''),
      ),
    );
  }

  async function ready(providerType: Provider): Promise<ProvisionedClientView> {
    const { status, body } = await provision(api(), { providerType, serverType: TYPES[providerType] }, WAIT);
    expect(status).toBe(201);
    return body;
  }

  const idOf = async (clientId: string) =>
    (
      await installation.query<{ id: string }>(`SELECT id FROM provisioning_references WHERE client_id = '${clientId}'`)
    )[0]?.id;

  const untilGone = (provider: Provider, id: string) =>
    until(
      () => strays.exists(provider, id),
      (exists) => !exists,
    );

  const untilListed = (serverId: string) =>
    until(report, ({ servers }) => servers.some((server) => server.serverId === serverId));

  const untilUnlisted = (serverId: string) =>
    until(report, ({ servers }) => servers.every((server) => server.serverId !== serverId));

  const remove = async (clientId: string) =>
    expect((await api().delete(`/api/clients/${clientId}/provisioning`, WAIT)).status).toBe(204);

  const notes = async (clientId: string) =>
    (await api().get<ProvisioningEventView[]>(`/api/clients/${clientId}/provisioning/events`)).body.flatMap(
      ({ type, message }) => (type === 'note' ? [message] : []),
    );

  const resume = async () => expect((await api().post<OrphanReportView>(`${ORPHANS}/resume`)).status).toBe(200);

  describe.each(['hetzner', 'digital-ocean'] as const)('at %s', (provider) => {
    it('destroys a server that shows up after its deletion, and a second server of a client', async () => {
      const [deleted, client] = await Promise.all([ready(provider), ready(provider)]);
      const [buried, provisioningId] = [await idOf(deleted.id), await idOf(client.id)];
      await remove(deleted.id);
      const late = await strays.order(provider, { instanceId, provisioningId: buried });
      const second = await strays.order(provider, { instanceId, provisioningId });
      await Promise.all([untilGone(provider, late), untilGone(provider, second)]);
      await untilSwept();
      expect((await report()).servers).toEqual([]);
      expect(await strays.exists(provider, client.serverId ?? '')).toBe(true);
      expect((await notes(client.id)).filter((message) => message.startsWith('A second server'))).toHaveLength(1);
      expect((await report()).sweeps.map(({ paused }) => paused)).toEqual([null, null]);
      await remove(client.id);
    });

    it('reports what no client has, with its cost; adopted, it can be seen, and deleted', async () => {
      const provisioningId = randomUUID();
      const serverId = await strays.order(provider, { instanceId, provisioningId, attempt: 2 });
      const foreign = await strays.order(provider, { instanceId: randomUUID() });
      const { servers, policy, sweeps } = await untilListed(serverId);
      expect(policy).toBe('report');
      expect(servers).toHaveLength(1);
      expect(servers[0]).toMatchObject({
        providerType: provider,
        serverId,
        kind: 'unknown',
        serverType: TYPES[provider],
        provisioningId,
        attempt: 2,
        monthlyCost: expect.any(Number) as number,
        currency: provider === 'hetzner' ? 'EUR' : 'USD',
        destroyAfter: null,
      });
      // It is newer than the last sweep, as all are whose rows a restored backup lacks.
      expect(sweeps.find(({ providerType }) => providerType === provider)?.paused?.reason).toBe('restored-backup');
      const metrics = await metricsWith(`orphans{provider="${provider}"} 1`);
      expect(metrics).toContain(`orphans{provider="${provider}"} 1`);
      expect(metrics).toContain(`sweep_paused{provider="${provider}"} 1`);
      expect(metrics).toMatch(new RegExp(`sweep_age_seconds\\{provider="${provider}"\\} \\d`));
      await resume();

      const path = `${ORPHANS}/${provider}/${serverId}`;
      const { status, body, headers } = await api().post<ProvisionedClientView>(`${path}/adopt`, { name: 'found' });
      expect(status).toBe(201);
      expect(headers.get('location')).toBe(`/api/clients/${body.id}/provisioning/info`);
      expect(body).toMatchObject({
        name: 'found',
        serverId,
        isAutoProvisioned: true,
        provisioning: { phase: 'failed' },
      });
      expect((await info(api(), body.id)).lastError?.code).toBe('adopted-without-credentials');
      expect((await info(api(), body.id)).monthlyCost).toBe(servers[0]?.monthlyCost);
      expect(await api().post(`${path}/adopt`)).toMatchObject({ status: 409, body: { code: 'server-has-row' } });
      expect(await api().delete(path)).toMatchObject({ status: 409, body: { code: 'server-has-row' } });
      expect(await api().post(`/api/clients/${body.id}/provisioning/retry`)).toMatchObject({
        status: 409,
        body: { code: 'secrets-wiped' },
      });
      expect((await untilSwept()).servers).toEqual([]);
      await remove(body.id);
      expect(await strays.exists(provider, serverId)).toBe(false);
      expect(await api().delete(`${ORPHANS}/${provider}/${foreign}`)).toMatchObject({
        status: 404,
        body: { code: 'orphan-not-found' },
      });
      expect(await strays.exists(provider, foreign)).toBe(true);
      await strays.remove(provider, foreign);
    });

    it('destroys one when it is asked to', async () => {
      const serverId = await strays.order(provider, { instanceId });
      await untilListed(serverId);
      const path = `${ORPHANS}/${provider}/${serverId}`;
      expect([202, 204]).toContain((await api().delete(path)).status);
      await untilGone(provider, serverId);
      expect((await api().delete(path)).status).toBe(204);
      await untilUnlisted(serverId);
      await resume();
      expect(await api().post(`${path}/adopt`)).toMatchObject({ status: 404, body: { code: 'orphan-not-found' } });
    });
  });

  it('shows a server that vanished as lost, and one that was renamed under its new name', async () => {
    const [gone, renamed] = await Promise.all([ready('hetzner'), ready('hetzner')]);
    await strays.rename(renamed.serverId ?? '', 'another-name');
    await strays.remove('hetzner', gone.serverId ?? '');
    // Very young servers may be missing from lists.
    await installation.query(
      `UPDATE provisioning_references
       SET server_created_at = now() - interval '1 hour', create_requested_at = now() - interval '1 hour'`,
    );
    const seen = await until(
      async () => (await api().get<ClientView[]>('/api/clients')).body.find(({ id }) => id === gone.id),
      (client) => client?.health === 'lost',
    );
    expect(seen?.healthSince).not.toBeNull();
    expect(await info(api(), gone.id)).toMatchObject({ phase: 'ready', serverStatus: 'lost', health: 'lost' });
    await metricsWith('agents{health="lost"} 1');
    const now = await until(
      () => info(api(), renamed.id),
      ({ serverName }) => serverName === 'another-name',
    );
    expect(now.serverStatus).toBe('running');
    expect((await notes(renamed.id)).filter((message) => message.includes("'another-name'"))).toHaveLength(1);
    await Promise.all([remove(gone.id), remove(renamed.id)]);
  });

  it('pauses after an older backup was restored; what it lacks is adopted with its credentials, and works', async () => {
    await resume();
    const client = await ready('hetzner');
    await Promise.all(controllers.map((controller) => controller.stop()));
    await installation.query(`DELETE FROM clients WHERE id = '${client.id}'`);
    await installation.query(`UPDATE provider_sweeps SET covered_until = covered_until - interval '1 day'`);
    await installation.query(`DELETE FROM graphile_worker._private_jobs`);
    const policy = { ORPHAN_POLICY: 'delete', ORPHAN_GRACE_SECONDS: '1' };
    controllers = [await installation.startController({ ...QUICK, ...policy })];
    const serverId = client.serverId ?? '';
    await untilListed(serverId);
    const { sweeps, servers } = await untilSwept();
    expect(sweeps.find(({ providerType }) => providerType === 'hetzner')?.paused?.reason).toBe('restored-backup');
    expect(servers).toMatchObject([{ serverId, destroyAfter: null }]);
    await untilSwept();
    expect(await strays.exists('hetzner', serverId)).toBe(true);

    const { status, body } = await api().post<ProvisionedClientView>(`${ORPHANS}/hetzner/${serverId}/adopt`, {
      apiKey: client.apiKey,
      spkiSha256: client.tls?.spkiSha256,
      certificatePem: client.tls?.certificatePem,
    });
    expect({ status, body }).toMatchObject({ status: 201, body: { provisioning: { phase: 'starting' } } });
    const now: ProvisioningInfoView = await untilPhase(api(), body.id, 'ready');
    expect(now).toMatchObject({ phase: 'ready', serverId, health: 'healthy', tls: client.tls });
    expect(controllers[0]!.log()).not.toContain(client.apiKey);
    await remove(body.id);
    expect(await strays.exists('hetzner', serverId)).toBe(false);
  });

  it('destroys by the policy after the grace time, once nobody pauses it', async () => {
    await resume();
    const orphan = await strays.order('hetzner', { instanceId });
    const foreign = await strays.order('hetzner', { instanceId: randomUUID() });
    await untilListed(orphan);
    await untilSwept();
    expect(await strays.exists('hetzner', orphan)).toBe(true);
    await resume();
    await untilGone('hetzner', orphan);
    expect(await strays.exists('hetzner', foreign)).toBe(true);
    await strays.remove('hetzner', foreign);
  });
});
