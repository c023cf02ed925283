import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Keycloak } from '../keycloak';
import { callServer, until } from '../server-call.fixture';
import { DEFAULT_SETTINGS } from '../settings';
import { createKeyPair, userData, type KeyPair } from '../user-data.fixture';
import { AddressPool } from './address-pool';
import { EmulatedServer } from './emulated-server';
import type { ServerOrder } from './machine';

const SPEED = { ...DEFAULT_SETTINGS, bootMs: 1, installMs: 1, startMs: 1 };
const HOME = '/opt/agent-manager';
const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';

describe('EmulatedServer fetches its secret files', () => {
  const pool = new AddressPool();
  let pair: KeyPair;
  let controller: Server;
  let server: EmulatedServer;
  let isRefused: boolean;
  /** Paths that were asked, with the tokens. */
  let asked: string[];
  let callers: Set<string>;

  beforeAll(async () => {
    pair = await createKeyPair();
  });
  beforeEach(async () => {
    isRefused = false;
    asked = [];
    callers = new Set();
    controller = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      request.resume().once('end', () => {
        if (request.url === '/callback') return void response.writeHead(204).end();
        callers.add(request.socket.remoteAddress ?? '');
        response.writeHead(isRefused ? 401 : 200).end(JSON.stringify({ files: secrets() }));
      });
    }).listen(0, '127.0.0.1');
    await once(controller, 'listening');
  });
  afterEach(async () => {
    await server.stop();
    pool.release(server.order.address);
    controller.close();
  });

  const config = (path: string, token: string) =>
    `url = "http://127.0.0.1:${(controller.address() as AddressInfo).port}${path}"\nheader = "Authorization: Bearer ${token}"\n`;
  const secrets = () =>
    Object.entries({
      'docker-compose.override.yml': 'services: {agent: {environment: {FETCHED: "yes"}}}',
      'tls/key.pem': pair.key,
      'callback.curlrc': config('/callback', 'own'),
    }).map(([name, content]) => ({ path: `${HOME}/${name}`, permissions: '0600', content }));

  /** The fixture's files in the folder of the real ones, without the key. */
  function keylessUserData(): string {
    const text = userData(pair, { callback: config('/callback', 'bootstrap') }).replaceAll('/srv/agent', HOME);
    const [before = '', after = ''] = text.split(`  - path: ${HOME}/tls/key.pem\n`);
    const subject = JSON.stringify({ provisioningId: ID, attempt: 1 });
    const files = [
      ['redemption.curlrc', config('/bootstrap', 'bootstrap')],
      ['redemption.json', subject],
    ].map(([name, content]) => ({ path: `${HOME}/${name}`, permissions: '0600', content }));
    const rest = after.slice(after.indexOf('  - path:'));
    return before + files.map((file) => `  - ${JSON.stringify(file)}\n`).join('') + rest;
  }

  function start(order: Partial<ServerOrder> = {}): void {
    const all = { userData: keylessUserData(), acceptsBase64: true, address: pool.take(), bootFails: false, ...order };
    server = new EmulatedServer(all, new Keycloak(), () => undefined);
    server.start(SPEED);
  }
  const ends = () =>
    until(
      async () => server.status,
      (status) => status !== null && status.state !== 'running',
    );

  it('answers with the fetched key, reports with the fetched token, and leaves the other behind', async () => {
    start();
    expect((await ends())?.state).toBe('finished');
    expect(server.status?.stages.map(({ name }) => name).slice(0, 3)).toEqual(['boot', 'secrets', 'docker']);
    expect(server.deployment?.agentEnvironment['FETCHED']).toBe('yes');
    const { address } = server.order;
    expect((await callServer({ address, certificate: pair.certificate }, '/api/health')).status).toBe(200);
    const names = server.files.map(({ path }) => path.replace(`${HOME}/`, ''));
    expect(names).toEqual(expect.arrayContaining(['tls/key.pem', 'callback.curlrc']));
    expect(
      names.filter((name) => name.startsWith('redemption') || names.indexOf(name) !== names.lastIndexOf(name)),
    ).toEqual([]);
    await until(
      async () => server.reports,
      (reports) => reports.length === server.status?.seq,
    );
    expect(asked.filter((each) => each.startsWith('/bootstrap'))).toEqual(['/bootstrap Bearer bootstrap']);
    expect(asked.at(-1)).toBe('/callback Bearer own');
    if (process.platform === 'linux') expect([...callers]).toEqual([address]);
  });

  it('does not ask again when the emulator is started again', async () => {
    start();
    await ends();
    const { address, ...order } = server.order;
    await server.stop();
    pool.release(address);
    asked = [];
    isRefused = true;
    start(JSON.parse(JSON.stringify(order)) as Omit<ServerOrder, 'address'>);
    expect((await ends())?.state).toBe('finished');
    expect(asked.filter((each) => each.startsWith('/bootstrap'))).toEqual([]);
  });

  it('fails where it is refused, says so with the bootstrap token, and answers nothing', async () => {
    isRefused = true;
    start();
    expect(await ends()).toMatchObject({
      state: 'failed',
      error: { stage: 'secrets', cause: expect.stringContaining('401') },
    });
    expect(server.problem).toContain('the bootstrap stopped at secrets');
    expect(server.endpoints).toEqual({});
    await until(
      async () => asked,
      (all) => all.filter((each) => each === '/callback Bearer bootstrap').length === 2,
    );
  });
});
