import type { AxiosError } from 'axios';
import { createApiClient } from 'dots-wrapper';
import { Client } from 'hcloud-js';
import { startEmulator, type RunningEmulator } from './cloud-emulator';
import { callServer, until } from './server-call.fixture';
import { createKeyPair, userData, type KeyPair, type UserDataChanges } from './user-data.fixture';

const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM test';
const SPEED = { bootMs: 60, installMs: 60, startMs: 60, deleteMs: 60, listLagMs: 60 };
const KEY = 'the key of $everyone';

interface AdminServer {
  address: string;
  name: string;
  problem: string | null;
  stage: string;
  endpoints: Record<string, string>;
  agentEnvironment: Record<string, string> | null;
  files: { path: string; permissions: string; content: string }[];
}

describe('the real clients against the emulator', () => {
  let emulator: RunningEmulator;
  let pair: KeyPair;

  beforeAll(async () => {
    pair = await createKeyPair();
    emulator = await startEmulator(SPEED);
  });
  afterAll(() => emulator?.close());

  const hetzner = (token: string) => new Client({ token, baseURL: `${emulator.url}/hetzner/v1`, timeout: 5_000 }).axios;
  const digitalOcean = (token: string) =>
    createApiClient({ token, endpoint: `${emulator.url}/digitalocean/v2`, requestTimeoutInMs: 5_000 });
  const admin = async <T>(path: string, changes?: object): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const put = changes && { method: 'PUT', headers, body: JSON.stringify(changes) };
    return (await (await fetch(`${emulator.url}/admin${path}`, put)).json()) as T;
  };
  const at = (address: string, port?: number) => ({ address, port, certificate: pair.certificate });

  async function orderAtHetzner(
    token: string,
    data: string,
    name = 'one',
  ): Promise<{ id: number; ip: string; status: string }> {
    const order = { name, server_type: 'cx33', location: 'nbg1', image: 'debian-13', user_data: data };
    const { data: created, status: code } = await hetzner(token).post('/servers', order);
    expect(code).toBe(201);
    const { id, status, public_net: network } = created.server;
    return { id, status, ip: network.ipv4.ip };
  }

  it('hcloud-js: order, boot, proxy, agent-manager, and its end', async () => {
    const api = hetzner('whole-hetzner');
    // Long enough for the proxy to be seen without the agent-manager, however slow this machine is.
    await admin('/settings', { startMs: 2_000 });
    const { id, ip, status } = await orderAtHetzner('whole-hetzner', userData(pair));
    await admin('/settings', SPEED);
    expect({ ip, status }).toEqual({ ip: expect.stringMatching(/^127\.20\./), status: 'initializing' });
    const { data: fresh } = await api.get(`/servers/${id}`);
    expect(fresh.server).toMatchObject({ id, location: { name: 'nbg1' } });
    expect(fresh.server).not.toHaveProperty('datacenter');

    const first = await until(
      () => callServer(at(ip), '/api/health'),
      () => true,
    );
    expect(first.status).toBe(502);
    expect((await api.get(`/servers/${id}`)).data.server.status).toBe('running');
    const health = await until(
      () => callServer(at(ip), '/api/health'),
      ({ status }) => status !== 502,
    );
    expect(health).toEqual({ status: 200, body: { status: 'ok', timestamp: expect.any(String) } });

    expect((await callServer(at(ip), '/api/config')).status).toBe(401);
    expect((await callServer(at(ip), '/api/config', 'Bearer wrong')).status).toBe(401);
    const config = { gitRepositoryUrl: 'https://git.example.com/a.git', agentTypes: ['cursor'] };
    expect(await callServer(at(ip), '/api/config', `Bearer ${KEY}`)).toEqual({ status: 200, body: config });
    expect(await callServer(at(ip), '/api/config', `ApiKey ${KEY}`)).toEqual({ status: 200, body: config });
    expect(await callServer(at(ip), '/api/nothing')).toMatchObject({ status: 404, body: { statusCode: 404 } });
    expect((await callServer(at(ip, 8443), '/socket.io/?EIO=4&transport=polling')).status).toBe(200);

    const { data: deleted } = await api.delete(`/servers/${id}`);
    expect(deleted.action).toMatchObject({ command: 'delete_server' });
    await until(
      () => api.get(`/servers/${id}`, { validateStatus: null }),
      ({ status }) => status === 404,
    );
    await expect(callServer(at(ip), '/api/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('dots-wrapper: order, boot, agent-manager behind Keycloak, and its end', async () => {
    const api = digitalOcean('whole-do');
    const key = await api.sshKey.createSshKey({ name: 'key', public_key: PUBLIC_KEY });
    const data = userData(pair, {
      agent: { AUTHENTICATION_METHOD: 'keycloak', STATIC_API_KEY: null, KEYCLOAK_REALM: 'r', KEYCLOAK_CLIENT_ID: 'c' },
      webSocketPort: 9443,
    });
    const created = await api.droplet.createDroplet({
      name: 'one',
      region: 'fra1',
      size: 's-1vcpu-2gb',
      image: 'debian-13-x64',
      ssh_keys: [key.data.ssh_key.id],
      tags: ['mine'],
      user_data: data,
    });
    expect(created.status).toBe(202);
    const { droplet } = created.data as { droplet: { id: number; status: string; networks: { v4: unknown[] } } };
    expect(droplet).toMatchObject({ status: 'new', networks: { v4: [] } });
    const read = () => api.droplet.getDroplet({ droplet_id: droplet.id });
    const { data: running } = await until(read, ({ data: { droplet: seen } }) => seen.status === 'active');
    expect(running.droplet.networks.v4.map(({ type }) => type)).toEqual(['private', 'public']);
    const ip = running.droplet.networks.v4.find(({ type }) => type === 'public')?.ip_address ?? '';

    await until(
      () => callServer(at(ip), '/api/health'),
      ({ status }) => status === 200,
    );
    expect((await callServer(at(ip), '/api/config', `Bearer ${KEY}`)).status).toBe(401);
    expect((await callServer(at(ip), '/api/config', `Bearer ${await keycloakToken('r', 'other')}`)).status).toBe(401);
    expect((await callServer(at(ip), '/api/config', `Bearer ${await keycloakToken('x', 'c')}`)).status).toBe(401);
    expect((await callServer(at(ip), '/api/config', `Bearer ${await keycloakToken('r', 'c')}`)).status).toBe(200);
    expect((await callServer(at(ip, 9443), '/socket.io/')).status).toBe(200);

    const listed = await until(
      () => api.droplet.listDroplets({ tag_name: 'mine', per_page: 200 }),
      ({ data: { droplets } }) => droplets.length > 0,
    );
    expect(listed.data.droplets.map(({ id }) => id)).toEqual([droplet.id]);
    expect((await api.droplet.deleteDroplet({ droplet_id: droplet.id })).status).toBe(204);
    const { response } = (await read().catch((error: unknown) => error)) as AxiosError<{ request_id: string }>;
    expect(response).toMatchObject({ status: 404, data: { id: 'not_found' } });
    expect(response?.data.request_id).toBe(response?.headers['x-request-id']);
  });

  async function keycloakToken(realm: string, client: string): Promise<string> {
    const response = await fetch(`${emulator.url}/keycloak/realms/${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client, client_secret: 'secret' }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  it.each<[string, UserDataChanges]>([
    ['JWT_SECRET is missing', { agent: { JWT_SECRET: null } }],
    ['ENCRYPTION_KEY is not base64', { agent: { ENCRYPTION_KEY: 'dG9vIHNob3J0' } }],
    ['postgres refuses', { databasePassword: 'another' }],
  ])('the proxy answers and the agent-manager never does: %s', async (problem, changes) => {
    const token = `sick ${problem}`.replace(/\W/g, '-');
    const { ip } = await orderAtHetzner(token, userData(pair, changes));
    const [server] = await until(
      () => admin<AdminServer[]>(`/servers?token=${token}`),
      ([one]) => one?.problem !== null,
    );
    expect(server?.problem).toContain(problem);
    expect((await callServer(at(ip), '/api/health')).status).toBe(502);
  });

  it('broken user data: the provider says running, nothing answers, the reason is told', async () => {
    const { id, ip } = await orderAtHetzner('broken', `#cloud-config\n${userData(pair)}\nruncmd: []\n`);
    const [server] = await until(
      () => admin<AdminServer[]>('/servers?token=broken'),
      ([one]) => one?.problem !== null,
    );
    expect(server).toMatchObject({ problem: expect.stringContaining('duplicated'), agentEnvironment: null, files: [] });
    expect((await hetzner('broken').get(`/servers/${id}`)).data.server.status).toBe('running');
    await expect(callServer(at(ip), '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('base64 is decoded at Hetzner and not at DigitalOcean', async () => {
    const encoded = Buffer.from(userData(pair)).toString('base64');
    const { ip } = await orderAtHetzner('encoded', encoded);
    await until(
      () => callServer(at(ip), '/api/health'),
      ({ status }) => status === 200,
    );
    const order = { name: 'one', region: 'fra1', size: 's-1vcpu-1gb', image: 'debian-13-x64' };
    await digitalOcean('encoded').droplet.createDroplet({ ...order, user_data: encoded });
    const servers = await until(
      () => admin<(AdminServer & { provider: string })[]>('/servers?token=encoded'),
      (all) => all.some(({ problem }) => problem !== null),
    );
    expect(servers.find(({ provider }) => provider !== 'hetzner')?.problem).toContain('#cloud-config');
  });

  it('shows the files with their modes, and what the containers get', async () => {
    await orderAtHetzner('shown', userData(pair));
    const [server] = await until(
      () => admin<AdminServer[]>('/servers?token=shown'),
      ([one]) => one?.stage === 'agent',
    );
    expect(server).toMatchObject({ status: 'running', phase: 'healthy' });
    expect(server?.endpoints).toEqual({ 3000: `${server?.address}:3000`, 8443: `${server?.address}:8443` });
    expect(server?.agentEnvironment).toMatchObject({ DB_PASSWORD: "pass'word $1", STATIC_API_KEY: KEY });
    expect(server?.files.map(({ path, permissions }) => [path.split('/').at(-1), permissions])).toEqual([
      ['docker-compose.yml', '0600'],
      ['.env', '0600'],
      ['agent.env', '0600'],
      ['Caddyfile', '0644'],
      ['cert.pem', '0644'],
      ['key.pem', '0400'],
    ]);
    expect(server?.files.find(({ path }) => path.endsWith('key.pem'))?.content).toBe(pair.key);
  });

  it('has a record of every request at once, also of those whose answer is lost', async () => {
    const fault = { token: 'recorded', method: 'POST', dropAnswer: true };
    await fetch(`${emulator.url}/admin/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    });
    for (let count = 1; count <= 20; count++) {
      await expect(orderAtHetzner('recorded', '#cloud-config\n', `lost-${count}`)).rejects.toMatchObject({
        code: 'ECONNRESET',
      });
      const requests =
        await admin<{ method: string; status: number; isDropped: boolean }[]>('/requests?token=recorded');
      expect(requests).toHaveLength(count);
      expect(requests.at(-1)).toMatchObject({ method: 'POST', status: 201, isDropped: true });
    }
    expect(await admin<AdminServer[]>('/servers?token=recorded')).toHaveLength(20);
  });
});
