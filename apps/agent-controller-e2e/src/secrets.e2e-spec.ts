import { DatabaseProxy } from './support/database-proxy';
import { Controller, Installation } from './support/controller-process';
import { emulatorUrl } from './support/emulator-admin';
import { freePort } from './support/free-port';
import { info, untilPhase } from './support/provision';
import { until } from './support/until';
import { EchoingProxy, type Trouble } from './secrets/echoing-proxy';
import { LeakHunt } from './secrets/leak-hunt';
import { ROUTE_CALLS, variants } from './secrets/route-calls';
import { findSecrets, judge, marker, type AllowedPlace } from './secrets/secret-search';
import { randomBytes } from 'node:crypto';

// Never several in a row that are no proper answers: the circuit would open. Who is told 429 asks no more for a while.
const READS: Trouble[] = [500, 401, 502, 403, 'html', 404, 'reset', 422, 'cut', 'unreadable', 429];
const ORDERS: Trouble[] = [401, 403, 409, 422, 429, 500, 502, 'unreadable', 'html', 'reset', 'cut'];
/** `provider`: the type to order, the request that orders it, the types that are asked for. */
const PROVIDERS = [
  { providerType: 'hetzner', serverType: 'cx33', servers: /\/servers$/, types: /\/server_types$/ },
  { providerType: 'digital-ocean', serverType: 's-2vcpu-2gb', servers: /\/droplets$/, types: /\/sizes$/ },
];

/** Where secrets belong, and nowhere else. */
const ALLOWED: AllowedPlace[] = [
  // Told once, and again to the same caller who repeats the request.
  { place: /: accept of (given|generated|reported)$/, marker: /: apiKey of (given|generated|reported)$/ },
  {
    place: /: accept of (order at|broken|refused|keycloak|stage)/,
    marker: /: apiKey of (order at|broken|refused|stage)/,
  },
  { place: /: replay of given$/, marker: /: apiKey of given$/ },
  // Its order was answered with a failure instead.
  { place: /: retry of withheld$/, marker: /: apiKey of withheld$/ },
  // Without PUBLIC_URL the server has them from there; with it, a token for the secret files.
  { place: /^plain: user data at the provider$/, marker: /^plain: (?!key of|token of|encryption|password)/ },
  { place: /^fetched: user data at the provider$/, marker: /: bootstrap token/ },
  { place: /: files of the server$/, marker: /^(plain|fetched): (?!key of|token of|encryption|password)/ },
  // Shows that what is written to the log is searched.
  { place: /: log$/, marker: /^planted in the log$/ },
];

describe('no secret comes out', () => {
  let plain: LeakHunt;
  let fetched: LeakHunt;
  let provider: EchoingProxy;
  let network: DatabaseProxy;
  let controller: Controller;
  let reporting: Controller;
  const planted = { ...marker('planted in the log'), name: 'planted in the log' };

  beforeAll(async () => {
    provider = await EchoingProxy.start(emulatorUrl());
    const urls = {
      HETZNER_API_BASE_URL: `${provider.url}/hetzner/v1`,
      DIGITALOCEAN_API_BASE_URL: `${provider.url}/digitalocean/v2`,
    };
    plain = new LeakHunt(await Installation.create(), 'plain');
    network = await DatabaseProxy.start(plain.installation.database.url);
    const trace = { LOG_LEVEL: 'trace' };
    controller = await plain.installation.startController({ ...trace, ...urls, DATABASE_URL: network.url });
    fetched = new LeakHunt(await Installation.create(), 'fetched');
    const port = await freePort();
    const own = { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` };
    reporting = await fetched.installation.startController({ ...trace, ...own });
  });
  afterAll(async () => {
    network.pass();
    await plain.installation.dispose();
    await fetched.installation.dispose();
    await network.stop();
    await provider.stop();
  });

  afterEach(() => provider.clear());

  const keycloak = (secret: string, realm: string) => ({
    ...{ apiKey: undefined, authenticationType: 'keycloak', keycloakClientId: 'agents', keycloakRealm: realm },
    ...{ keycloakClientSecret: secret, keycloakAuthServerUrl: `${emulatorUrl()}/keycloak` },
  });
  const remove = async (of: LeakHunt, at: Controller, id: string) => {
    const path = `/api/clients/${id}/provisioning`;
    const { status } = await of.send(at, { method: 'DELETE', path, headers: { prefer: 'wait=90' } });
    expect(status).toBe(204);
  };

  // First, since what providers answered is kept for a while.
  it.each(READS)('when providers answer questions with %s, and echo them', async (trouble) => {
    for (const { providerType, types } of PROVIDERS) {
      provider.next('GET', types, trouble);
      const path = `/api/clients/provisioning/providers/${providerType}/server-types`;
      const { status } = await plain.send(controller, { method: 'GET', path });
      expect([status === 502 || status === 503, provider.waiting]).toEqual([true, 0]);
    }
  });

  it('through servers that get ready, and their end', async () => {
    // Who was told 429 asks again only after a while.
    const asked = { method: 'GET', path: '/api/clients/provisioning/providers/hetzner/server-types' };
    await until(
      () => plain.send(controller, asked),
      ({ status }) => status === 200,
    );
    const repeat = { 'idempotency-key': 'once' };
    const given = await plain.order(controller, 'given', {}, repeat);
    const generated = await plain.order(controller, 'generated', {
      ...{ apiKey: undefined, gitToken: undefined, gitPassword: plain.mark('gitPassword of generated') },
      ...{ providerType: 'digital-ocean', serverType: 's-2vcpu-2gb' },
    });
    const realm = `secrets-${randomBytes(4).toString('hex')}`;
    const secret = plain.mark('keycloakClientSecret of keycloak');
    await plain.installation.emulator.registerKeycloakClient({ realm, clientId: 'agents', secret });
    const trusted = await plain.order(controller, 'keycloak', keycloak(secret, realm));
    await plain.dump('after the orders');
    const ids = [given, generated, trusted].map(({ id }) => id);
    for (const id of ids) expect((await untilPhase(controller.api, id, 'ready')).phase).toBe('ready');
    const replay = { method: 'POST', path: '/api/clients/provisioning/provision', body: given.body, headers: repeat };
    expect((await plain.send(controller, { ...replay, place: 'replay of given' })).status).toBe(202);
    await plain.learn();
    for (const id of ids) await plain.look(controller, id);
    await plain.dump('with servers that are ready');
    await remove(plain, controller, generated.id);
    expect(await plain.stream(controller, generated.id)).toContain('event: deleted');
  });

  it('by any route, whatever is sent there', async () => {
    const line =
      controller
        .log()
        .split('\n')
        .find((each) => each.includes('"routes":[')) ?? '{"routes":[]}';
    const { routes } = JSON.parse(line) as { routes: { method: string; url: string }[] };
    const declared = routes.filter(({ method, url }) => method !== 'HEAD' && !/^\/api\/docs[/-]/.test(url));
    const names = declared.map(({ method, url }) => `${method} ${url.replace(/(.)\/$/, '$1')}`);
    expect([...new Set(names)].sort()).toEqual(Object.keys(ROUTE_CALLS).sort());
    const agent = { name: 'registered', endpoint: 'https://agent.example.com', authenticationType: 'api_key' };
    const made = await plain.send(controller, {
      ...{
        method: 'POST',
        path: '/api/clients',
        body: { ...agent, apiKey: plain.mark('apiKey of a registered client') },
      },
    });
    const { id: registered } = JSON.parse(made.text) as { id: string };
    const order = await plain.order(controller, 'refused', { providerType: 'hetzner', serverType: 'cx33' });
    expect((await untilPhase(controller.api, order.id, 'ready')).phase).toBe('ready');
    await plain.learn();
    const ids = { registered, provisioned: order.id };
    for (const route of Object.keys(ROUTE_CALLS)) {
      const secret = plain.mark(`what was sent to ${route}`);
      for (const sent of variants(route, ids, secret)) {
        const { status } = await plain.send(controller, { ...sent, place: `answer of ${route}` });
        expect([route, sent, status < 500]).toEqual([route, sent, true]);
      }
    }
    await plain.dump('after wrong requests');
  });

  it.each(ORDERS)('when providers answer orders with %s, and echo them', async (trouble) => {
    for (const { providerType, serverType, servers } of PROVIDERS) {
      provider.next('POST', servers, trouble);
      const { id, status } = await plain.order(controller, `order at ${trouble}`, { providerType, serverType });
      expect(status).toBe(202);
      await until(
        async () => provider.waiting,
        (count) => count === 0,
      );
      await until(
        () => info(controller.api, id),
        ({ lastError, phase }) => lastError !== null || phase !== 'creating-server',
      );
      await plain.look(controller, id);
      await plain.dump(`after an order that met ${trouble}`);
      await plain.send(controller, { method: 'DELETE', path: `/api/clients/${id}/provisioning` });
    }
  });

  it('when a server fails, and quotes its secrets', async () => {
    for (const [hunt, at] of [
      [plain, controller],
      [fetched, reporting],
    ] as const) {
      const fields = hunt.secretFields('stage');
      const lines = secretLines(fields);
      const quoted = lines.flatMap((line) => [
        ...[line, `x='${line}'`, Buffer.from(line).toString('base64'), encodeURIComponent(`"${line}"`)],
      ]);
      expect(lines).toHaveLength(6);
      const installFailure = { stage: 'agent-manager', cause: `it was ${quoted[0]}`, logTail: quoted };
      await hunt.installation.emulator.addFault({ method: 'POST', times: 1, installFailure });
      const { id } = await hunt.order(at, 'stage', fields);
      const failed = await untilPhase(at.api, id, 'failed');
      expect(failed.lastError).toMatchObject({ code: 'installation-failed' });
      expect(failed.message).toContain('it was [secret]');
      await hunt.learn();
      await hunt.look(at, id);
      await hunt.dump('after a server failed');
      await remove(hunt, at, id);
    }
  });

  it('when credentials are refused, and when the answer was a failure instead of the key', async () => {
    const wrong = await plain.order(controller, 'refused', keycloak(plain.mark('a wrong secret'), 'no-such-realm'));
    await until(
      () => info(controller.api, wrong.id),
      ({ phase }) => ['ready', 'failed', 'starting'].includes(phase),
    );
    await plain.look(controller, wrong.id);
    provider.next('POST', /\/servers$/, 422);
    const failed = await plain.order(controller, 'withheld', {}, { prefer: 'wait=60' });
    expect(failed.status).toBe(502);
    const retry = { method: 'POST', path: `/api/clients/${failed.id}/provisioning/retry`, place: 'retry of withheld' };
    expect((await plain.send(controller, retry)).status).toBe(202);
    await plain.dump('after a retry');
  });

  it('with secret files that servers fetch, and their reports', async () => {
    const { id } = await fetched.order(reporting, 'reported');
    await until(
      async () => (await fetched.installation.emulator.servers()).flatMap(({ files }) => files),
      (files) => files.some(({ path }) => path.endsWith('/callback.curlrc')),
    );
    await fetched.learn();
    expect((await untilPhase(reporting.api, id, 'ready')).phase).toBe('ready');
    await fetched.learn();
    await fetched.look(reporting, id);
    await fetched.dump('after secret files were fetched');
    await remove(fetched, reporting, id);
  });

  it('when the database refuses, breaks off, or is away', async () => {
    await plain.installation.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused: %', NEW; END $$`,
    );
    await plain.installation.query(
      'CREATE TRIGGER refuse BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    expect((await plain.order(controller, 'broken').catch(() => ({ status: 500 }))).status).toBe(500);
    await plain.installation.query('DROP FUNCTION refuse CASCADE');
    network.cut();
    network.refuse();
    const secret = plain.mark('what was sent while the database was away');
    for (const route of Object.keys(ROUTE_CALLS)) {
      const ids = { registered: 'x', provisioned: 'y' };
      for (const sent of variants(route, ids, secret).slice(0, 7)) await plain.send(controller, sent);
    }
    network.pass();
    await until(
      async () => (await fetch(`${controller.url}/api/health`)).status,
      (status) => status === 200,
    );
  });

  it('when a controller cannot start', async () => {
    const key = randomBytes(32).toString('base64');
    plain.know('a wrong encryption key', key);
    const before = await plain.installation.query('SELECT * FROM encryption_canary');
    const wrongs: Record<string, string>[] = [{ ENCRYPTION_KEYS: key }, { ENCRYPTION_KEYS: plain.mark('no key') }];
    for (const wrong of wrongs) {
      const environment = { ...plain.installation.environment(), LOG_LEVEL: 'trace', ...wrong };
      const error = await Controller.start(environment, '').then(
        () => null,
        (reason: Error) => reason,
      );
      expect(error?.message).toMatch(new RegExp(`code 1:[^]*${Object.keys(wrong)[0]}`));
      plain.note('output of a controller that does not start', error?.message ?? '');
    }
    expect(await plain.installation.query('SELECT * FROM encryption_canary')).toEqual(before);
  });

  it('as all that came out shows', async () => {
    await plain.send(controller, { method: 'GET', path: `/api/${planted.value}` });
    for (const path of ['/metrics', '/api/openapi.json', '/api/audit?limit=200', '/api/clients?limit=100']) {
      expect((await plain.send(controller, { method: 'GET', path })).status).toBe(200);
    }
    const outputs = [...plain.outputs, ...fetched.outputs].filter(({ place }) => !place.includes(planted.value));
    outputs.push({ place: 'plain: log', text: controller.log() }, { place: 'fetched: log', text: reporting.log() });
    const markers = [...plain.markers, ...fetched.markers, planted];
    expect(markers.length).toBeGreaterThan(100);
    expect(new Set(outputs.map(({ place }) => place)).size).toBeGreaterThan(50);
    const { leaks, unused } = judge(findSecrets(outputs, markers), ALLOWED);
    expect(leaks).toEqual([]);
    expect(unused).toEqual([]);
  });
});

/** What of an order's fields is secret, as it stands in a line. */
function secretLines({
  apiKey,
  gitToken,
  gitPrivateKey,
  cursorApiKey,
  environment,
}: Record<string, unknown>): string[] {
  const { FURTHER } = environment as { FURTHER: string };
  return [apiKey, gitToken, cursorApiKey, ...String(gitPrivateKey).split('\n').slice(1, 2), ...FURTHER.split('\n')].map(
    String,
  );
}
