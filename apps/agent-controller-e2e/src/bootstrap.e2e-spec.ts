import type { ProvisionedClientView, ProvisioningEventView, ProvisioningInfoView } from '@agent-controller/contracts';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { callAgent } from './support/agent-call';
import { Installation, type Controller } from './support/controller-process';
import type { EmulatedServerView } from './support/emulator-admin';
import { freePort } from './support/free-port';
import { provision, untilPhase } from './support/provision';
import { until } from './support/until';

const NASTY = `it's "quoted" $HOME \${USER} $$ # no comment äöü 日本\nsecond 'line'\r\n`;
/** Parts of secrets, each in one field alone. */
const mark = (name: string) => `marker-${name}-${randomBytes(6).toString('hex')}`;

describe('secret files that servers fetch', () => {
  let installation: Installation;
  let controller: Controller;
  let publicUrl: string;

  beforeAll(async () => {
    installation = await Installation.create();
    const port = await freePort();
    publicUrl = `http://127.0.0.1:${port}`;
    // Emulated servers have addresses of their own on Linux only.
    const trust: Record<string, string> = process.platform === 'linux' ? { TRUST_PROXY: '192.0.2.1' } : {};
    controller = await installation.startController({ PORT: String(port), PUBLIC_URL: publicUrl, ...trust });
  });
  afterAll(() => installation.dispose());
  afterEach(() => installation.emulator.clearFaults());

  async function begin(changes: Record<string, unknown> = {}): Promise<ProvisionedClientView> {
    const started = await provision(controller.api, changes);
    expect(started.status).toBe(202);
    return started.body;
  }
  async function events(id: string): Promise<ProvisioningEventView[]> {
    return (await controller.api.get<ProvisioningEventView[]>(`/api/clients/${id}/provisioning/events`)).body;
  }
  async function serverOf({ serverId }: ProvisioningInfoView): Promise<EmulatedServerView> {
    const found = (await installation.emulator.servers()).find(({ id }) => id === serverId);
    if (!found) throw new Error(`There is no server ${serverId}`);
    return found;
  }
  async function remove(id: string): Promise<void> {
    expect((await controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=60' })).status).toBe(204);
  }
  const fault = (redemption: string) => installation.emulator.addFault({ method: 'POST', times: 1, redemption });
  const refusals = async (id: string) =>
    (await events(id)).filter(({ data }) => data?.['code'] === 'bootstrap-refused');
  const tokenIn = (userData: string) => [...new Set(userData.match(/(?<=Bearer )[\w-]+/g))];

  it.each([
    ['hetzner', 'cx33', 'gitToken', 'GIT_TOKEN'],
    ['digital-ocean', 's-2vcpu-2gb', 'gitPassword', 'GIT_PASSWORD'],
  ])('%s stores none of them; the server has each byte', async (providerType, serverType, gitField, gitVariable) => {
    const gitSecret = `${NASTY}${mark('git-secret')}`;
    const given = {
      apiKey: mark('api-key'),
      gitRepositoryUrl: `https://git.example.com/${mark('repository')}.git`,
      gitUsername: mark('user'),
      gitPrivateKey: `-----BEGIN KEY-----\n${mark('git-key')}\n-----END KEY-----\n`,
      cursorApiKey: mark('cursor'),
      [gitField]: gitSecret,
    };
    // More than any provider's user data could hold.
    const long = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`LONG_${n}`, randomBytes(7_500).toString('hex')]));
    const environment = { FURTHER: `${NASTY}${mark('environment')}`, EMPTY: '', ...long };
    const { id } = await begin({ providerType, serverType, ...given, environment });
    const seen = await untilPhase(controller.api, id, 'ready');
    expect(seen).toMatchObject({ phase: 'ready', lastError: null });
    const server = await serverOf(seen);
    expect(server.agentEnvironment).toMatchObject({
      ...environment,
      STATIC_API_KEY: given.apiKey,
      GIT_REPOSITORY_URL: given.gitRepositoryUrl,
      GIT_USERNAME: given.gitUsername,
      [gitVariable]: gitSecret,
      GIT_PRIVATE_KEY: given.gitPrivateKey,
      CURSOR_API_KEY: given.cursorApiKey,
    });
    expectNoSecret(server, [...Object.values(given), ...Object.values(environment)]);
    await expectDeadToken(server, id);
    expect(await refusals(id)).toHaveLength(0);
    if (!seen.endpoint || !seen.tls) throw new Error('A ready provisioning has no endpoint or no tls');
    expect((await callAgent(seen.endpoint, seen.tls, '/api/clients', `Bearer ${given.apiKey}`)).status).not.toBe(401);
    await remove(id);
  });

  /** The user data as the provider got it, with one token in it: that of the bootstrap, which is not the callback's. */
  function expectNoSecret(
    { userData, files, agentEnvironment, postgresEnvironment }: EmulatedServerView,
    given: string[],
  ) {
    expect(userData).toMatch(/^#cloud-config\n/);
    expect(userData).not.toMatch(/gz\+b64|PRIVATE KEY/);
    const { DB_PASSWORD = '', JWT_SECRET = '', ENCRYPTION_KEY = '' } = agentEnvironment ?? {};
    const { POSTGRES_PASSWORD = '' } = postgresEnvironment ?? {};
    const fetched = files.filter(({ path }) => /override\.yml$|key\.pem$|callback\.curlrc$/.test(path));
    expect(fetched.map(({ permissions }) => permissions)).toEqual(['0600', '0600', '0600']);
    const key = fetched.find(({ path }) => path.endsWith('/key.pem'))?.content.split('\n')[1] ?? '';
    const callbackToken = tokenIn(fetched.find(({ path }) => path.endsWith('.curlrc'))?.content ?? '')[0] ?? '';
    const lines = given
      .flatMap((value) => value.split(/\r?\n/))
      .filter((line) => line.includes('marker-') || line.length > 999);
    expect(lines.length).toBe(13);
    const secrets = [...lines, DB_PASSWORD, JWT_SECRET, ENCRYPTION_KEY, POSTGRES_PASSWORD, key, callbackToken];
    for (const [index, secret] of secrets.entries()) {
      expect([index, secret.length > 15]).toEqual([index, true]);
      expect([index, userData.includes(secret)]).toEqual([index, false]);
    }
    expect(tokenIn(userData)).toHaveLength(1);
  }

  /** Whoever reads the user data later can do nothing with it. */
  async function expectDeadToken({ userData }: EmulatedServerView, clientId: string): Promise<void> {
    const [token = ''] = tokenIn(userData);
    const [row] = await installation.query<{ id: string; hash: string | null; key: string | null }>(
      `SELECT id, bootstrap_token_hash AS hash, bootstrap_key AS key FROM provisioning_references
       WHERE client_id = '${clientId}'`,
    );
    expect(row).toMatchObject({ hash: null, key: expect.stringMatching(/^MFkw/) });
    expect((await redeem(row?.id ?? '', token)).status).toBe(401);
    expect((await post(`/callbacks/${row?.id}`, '{}', `Bearer ${token}`)).status).toBe(401);
    expect(await installation.everythingStored()).not.toContain(token);
    expect(await controller.wholeLog()).not.toContain(token);
  }

  it.each(['lose-answer', 'unreachable'])('%s: the server asks again with its key, and gets ready', async (mode) => {
    await fault(mode);
    const { id } = await begin();
    expect((await untilPhase(controller.api, id, 'ready')).phase).toBe('ready');
    expect((await events(id)).filter(({ message }) => message.includes('secret files were fetched'))).toHaveLength(1);
    expect(await refusals(id)).toHaveLength(0);
    await remove(id);
  });

  it('a thief who is first locks the server out: it fails, people see why, and a retry works', async () => {
    await fault('thief');
    const { id } = await begin();
    const failed = await untilPhase(controller.api, id, 'failed');
    expect(failed).toMatchObject({ phase: 'failed', lastError: { code: 'installation-failed' } });
    expect(failed.message).toContain('failed at the step secrets: The secret files could not be fetched');
    expect(failed.message).toContain('401');
    expect(await refusals(id)).toMatchObject([
      {
        type: 'error',
        data: { reason: 'key', address: expect.any(String), action: expect.stringContaining('user data') },
      },
    ]);
    const [stolen = ''] = tokenIn((await serverOf(failed)).userData);
    expect((await controller.api.post(`/api/clients/${id}/provisioning/retry`)).status).toBe(202);
    const again = await until(
      () => untilPhase(controller.api, id, 'ready'),
      ({ phase }) => phase === 'ready',
    );
    expect(tokenIn((await serverOf(again)).userData)).not.toContain(stolen);
    await remove(id);
  });

  it('a preview shows the user data without any secret, and takes long values', async () => {
    const environment = { LONG: randomBytes(8_000).toString('hex'), LONGER: randomBytes(8_000).toString('hex') };
    const body = { providerType: 'hetzner', serverType: 'cx33', authenticationType: 'api_key', environment };
    const { body: preview } = await controller.api.post<{
      userData: string;
      userDataBytes: number;
      problems: object[];
    }>('/api/clients/provisioning/preview', body);
    expect(preview.problems).toEqual([]);
    expect(preview.userDataBytes).toBeLessThan(32_768);
    expect(preview.userData).toContain('/opt/agent-manager/redemption.curlrc');
    expect(preview.userData).toContain('Bearer [secret]');
    expect(tokenIn(preview.userData)).toEqual([]);
  });

  const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
  it.each([
    ['no token', `/${ID}`, '{}', undefined, 401, 'unauthorized'],
    ['a token of nobody', `/${ID}`, '{}', 'Bearer x', 401, 'unauthorized'],
    ["the caller's key", `/${ID}`, '{}', 'key', 401, 'unauthorized'],
    ['no id', '/x', '{}', 'Bearer x', 401, 'unauthorized'],
    ['no object', `/${ID}`, '[]', 'Bearer x', 401, 'unauthorized'],
    ['a long body', `/${ID}`, JSON.stringify('x'.repeat(5_000)), 'Bearer x', 413, 'payload-too-large'],
    ['no JSON', `/${ID}`, '{', 'Bearer x', 400, 'malformed-body'],
  ])('refuses %s', async (_what, path, body, authorization, status, code) => {
    const given = authorization === 'key' ? `Bearer ${installation.apiKey}` : authorization;
    const answer = await post(`/bootstrap${path}`, body, given);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });

  function post(path: string, body: string, authorization: string | undefined): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) };
    return fetch(`${publicUrl}/api/provisioning${path}`, { method: 'POST', headers, body });
  }

  /** As somebody with a key of his own would. */
  function redeem(provisioningId: string, token: string): Promise<Response> {
    const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const sentAt = Date.now();
    const text = ['agent-controller bootstrap redemption v1', provisioningId, 1, publicKey, sentAt].join('\n');
    const signature = sign('sha256', Buffer.from(text), keys.privateKey).toString('base64');
    const body = JSON.stringify({ attempt: 1, publicKey, sentAt, signature });
    return post(`/bootstrap/${provisioningId}`, body, `Bearer ${token}`);
  }
});
