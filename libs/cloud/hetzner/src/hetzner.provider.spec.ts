import { CloudError, type CloudServer, type ServerSpec } from '@agent-controller/cloud-port';
import { json, rejection, ScriptedHttp, type ScriptedStep } from '@agent-controller/cloud-port/testing';
import { Secret } from '@agent-controller/kernel';
import { error, labels, owner, page, pricing, server, serverType, price } from './hetzner-answers.fixture';
import { HetznerProvider } from './hetzner.provider';

const TOKEN = 'hetzner-token-that-nobody-may-see';
const spec: ServerSpec = {
  owner,
  name: 'web-1',
  serverType: 'cx23',
  location: 'fsn1',
  image: 'debian-13',
  userData: '#cloud-config\n{}\n',
  sshKeyId: '99',
};

let http: ScriptedHttp;
let provider: HetznerProvider;

async function script(...steps: ScriptedStep[]): Promise<void> {
  http = await ScriptedHttp.start(steps);
  provider = new HetznerProvider({ token: new Secret(TOKEN), baseUrl: `${http.url}/v1`, timeoutMs: 500 });
}

afterEach(async () => {
  http.done();
  await http.close();
});

const get = (path: string, answer: ScriptedStep['answer'], query?: Record<string, string>): ScriptedStep => ({
  method: 'GET',
  path: `/v1${path}`,
  query,
  answer,
});
const post = (path: string, answer: ScriptedStep['answer'], body?: unknown): ScriptedStep => ({
  method: 'POST',
  path: `/v1${path}`,
  body,
  answer,
});
const remove = (path: string, answer: ScriptedStep['answer']): ScriptedStep => ({
  method: 'DELETE',
  path: `/v1${path}`,
  answer,
});
const ids = (servers: CloudServer[]) => servers.map(({ id }) => id);

describe('server types', () => {
  it('reads all pages, with gross prices and availability per location', async () => {
    await script(
      get('/pricing', json(pricing)),
      get('/server_types', page('server_types', [serverType('cx23')], 2), { page: '1', per_page: '50' }),
      get('/server_types', page('server_types', [serverType('cax11', { architecture: 'arm' })]), {
        page: '2',
        per_page: '50',
      }),
    );
    const types = await provider.listServerTypes();
    expect(types.map(({ id, architecture }) => [id, architecture])).toEqual([
      ['cx23', 'x86'],
      ['cax11', 'arm'],
    ]);
    expect(types[0]).toEqual({
      id: 'cx23',
      name: 'cx23',
      cores: 2,
      memory: 4,
      disk: 40,
      architecture: 'x86',
      description: 'CX23',
      currency: 'EUR',
      priceMonthly: 3.5,
      priceHourly: 0.0056,
      locations: [
        {
          id: 'fsn1',
          available: true,
          priceMonthly: 4.1531,
          priceHourly: 0.006664,
          addressPriceMonthly: 0.595,
          deprecatedAfter: null,
        },
        {
          id: 'hel1',
          available: false,
          priceMonthly: 3.5,
          priceHourly: 0.0056,
          addressPriceMonthly: 0.714,
          deprecatedAfter: null,
        },
      ],
    });
    expect(http.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('leaves out what cannot be ordered any more, and says where an end is announced', async () => {
    const ends = (unavailable_after: string) => ({ announced: '2026-01-01T00:00:00+00:00', unavailable_after });
    const at = (name: string, deprecation: unknown) => ({ id: 1, name, available: true, deprecation });
    const past = ends('2026-02-01T00:00:00+00:00');
    const future = ends('2999-01-01T00:00:00+00:00');
    await script(
      get('/pricing', json(pricing)),
      get(
        '/server_types',
        page('server_types', [
          serverType('flag', { deprecated: true }),
          serverType('whole', { deprecation: future }),
          serverType('ended', { locations: [at('fsn1', past), at('hel1', past)] }),
          serverType('ending', { locations: [at('fsn1', future)] }),
          serverType('unpriced', { prices: [] }),
          serverType('riscv', { architecture: 'riscv' }),
          serverType('partly', {
            locations: [at('fsn1', future), at('hel1', null), at('nbg1', past)],
            prices: [price('fsn1', '1', '1'), price('hel1', '2', '2'), price('nbg1', '3', '3')],
          }),
        ]),
      ),
    );
    const types = await provider.listServerTypes();
    expect(types.map(({ id }) => id)).toEqual(['partly']);
    expect(types[0]?.locations.map(({ id, deprecatedAfter }) => [id, deprecatedAfter])).toEqual([
      ['fsn1', '2999-01-01T00:00:00+00:00'],
      ['hel1', null],
    ]);
  });

  it('lists locations of all pages', async () => {
    const location = { id: 1, name: 'fsn1', description: 'Falkenstein DC Park 1', country: 'DE', city: 'Falkenstein' };
    await script(
      get('/locations', page('locations', [location], 2)),
      get('/locations', page('locations', [{ ...location, name: 'nbg1' }])),
    );
    const locations = await provider.listLocations();
    expect(locations.map(({ id }) => id)).toEqual(['fsn1', 'nbg1']);
    expect(locations[0]).toEqual({
      id: 'fsn1',
      name: 'Falkenstein DC Park 1',
      country: 'DE',
      city: 'Falkenstein',
      available: true,
    });
  });
});

describe('servers', () => {
  const body = {
    name: 'web-1',
    server_type: 'cx23',
    location: 'fsn1',
    image: 'debian-13',
    ssh_keys: [99],
    user_data: spec.userData,
    labels,
    start_after_create: true,
  };

  it('creates with labels, key and user data, and reads an answer without `datacenter`', async () => {
    const answer = {
      server: server(42, { status: 'initializing' }),
      action: {},
      next_actions: [],
      root_password: null,
    };
    await script(post('/servers', json(answer, 201), body));
    expect(await provider.create(spec)).toEqual({
      id: '42',
      name: 'web-42',
      status: 'creating',
      providerStatus: 'initializing',
      serverType: 'cx23',
      location: 'fsn1',
      image: 'debian-13',
      publicIpv4: '203.0.113.7',
      publicIpv6: '2001:db8:0:3df1::1',
      privateIpv4: null,
      createdAt: new Date('2026-08-01T10:00:00Z'),
      owner,
    });
  });

  it('reads null addresses, a null image, a private network and foreign labels', async () => {
    const odd = server(9_007_199_254_740_991, {
      status: 'rebuilding',
      public_net: { ipv4: null, ipv6: null, floating_ips: [] },
      private_net: [{ network: 1, ip: '10.0.0.2' }],
      image: null,
      labels: { ...labels, 'agent-controller/attempt': 'x' },
    });
    await script(get('/servers/9007199254740991', json({ server: odd })));
    expect(await provider.get('9007199254740991')).toMatchObject({
      id: '9007199254740991',
      status: 'unknown',
      providerStatus: 'rebuilding',
      image: null,
      publicIpv4: null,
      publicIpv6: null,
      privateIpv4: '10.0.0.2',
      owner: null,
    });
  });

  it('finds by owner, of all pages, oldest first', async () => {
    const label_selector =
      `agent-controller/instance==${owner.instanceId},` +
      `agent-controller/provisioning==${owner.provisioningId},agent-controller/attempt==1`;
    const query = { label_selector, sort: 'created:asc', page: '1', per_page: '50' };
    const later = server(2, { created: '2026-08-01T10:00:05+00:00' });
    await script(
      get('/servers', page('servers', [later], 2), query),
      get('/servers', page('servers', [server(3), server(1)]), { ...query, page: '2' }),
    );
    expect(ids(await provider.findByOwner(owner))).toEqual(['1', '3', '2']);
  });

  it('looks at one or two servers by id, and leaves out those that are not found', async () => {
    await script(get('/servers/1', error(404, 'not_found', 'server not found')));
    expect(await provider.look([{ serverId: '1', createdAt: new Date() }])).toEqual([]);
  });

  it('looks at many newest first, and stops at the oldest that is waited for', async () => {
    const created = (second: number) => `2026-08-01T10:00:0${second}+00:00`;
    const waiting = [3, 5, 6].map((n) => ({ serverId: String(n), createdAt: new Date(created(n)) }));
    const query = { label_selector: 'managed-by==agent-controller', sort: 'created:desc', page: '1', per_page: '50' };
    const entries = [6, 5, 4, 2].map((n) => server(n, { created: created(n) }));
    await script(get('/servers', page('servers', entries, 2), query));
    expect(ids(await provider.look(waiting))).toEqual(['6', '5']);
  });

  it('lists all servers of ours, page by page', async () => {
    await script(
      get('/servers', page('servers', [server(1)], 2)),
      get('/servers', page('servers', [server(2, { labels: {} })])),
    );
    const seen: CloudServer[] = [];
    for await (const one of provider.listOwned()) seen.push(one);
    expect(seen.map((one) => [one.id, one.owner?.attempt])).toEqual([
      ['1', 1],
      ['2', undefined],
    ]);
  });

  it('destroys until the provider says "not found"', async () => {
    await script(
      remove('/servers/1', json({ action: { id: 1 } })),
      remove('/servers/1', error(423, 'locked', 'server is locked')),
      remove('/servers/1', error(404, 'not_found', 'server not found')),
    );
    expect(await provider.destroy('1')).toBe('deleting');
    expect((await rejection(provider.destroy('1'))).kind).toBe('conflict');
    expect(await provider.destroy('1')).toBe('gone');
  });

  it.each(['', 'x', '1/../2', '0', '99999999999999999'])('sends nothing for the id "%s"', async (id) => {
    await script();
    for (const call of [() => provider.get(id), () => provider.destroy(id), () => provider.hasSentinel(id)]) {
      expect((await rejection(call())).kind).toBe('invalid');
    }
  });
});

describe('answers that are no answers', () => {
  const html = { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway</html>' };

  it.each<[string, ScriptedStep['answer'], CloudError['kind'], CloudError['kind']]>([
    ['an HTML 502', html, 'unavailable', 'outcome-unknown'],
    ['an empty 500', { status: 500 }, 'unavailable', 'outcome-unknown'],
    ['a JSON 503 without error', json(null, 503), 'unavailable', 'outcome-unknown'],
    ['HTML with status 200', { ...html, status: 200 }, 'unavailable', 'outcome-unknown'],
    ['a server without id', json({ server: { name: 'x' } }, 201), 'unavailable', 'outcome-unknown'],
    ['a dropped connection', 'drop', 'unavailable', 'outcome-unknown'],
    ['half an answer', 'cut', 'unavailable', 'outcome-unknown'],
    ['silence', 'hang', 'unavailable', 'outcome-unknown'],
  ])('%s', async (_, answer, onRead, onCreate) => {
    await script(get('/servers/1', answer), post('/servers', answer));
    expect((await rejection(provider.get('1'))).kind).toBe(onRead);
    expect((await rejection(provider.create(spec))).kind).toBe(onCreate);
  });

  it('nobody listens: nothing was ordered', async () => {
    await script();
    await http.close();
    expect((await rejection(provider.create(spec))).kind).toBe('unavailable');
    http = await ScriptedHttp.start([]);
  });

  it('a redirect is not followed with the token', async () => {
    await script(get('/servers/1', { status: 302, headers: { location: '/v1/servers/2' } }));
    expect((await rejection(provider.get('1'))).kind).toBe('unavailable');
  });

  it('keeps code, request id and message of a real error', async () => {
    const fields = { fields: [{ name: 'user_data', messages: ['Length must be between 0 and 32768.'] }] };
    await script(post('/servers', error(422, 'invalid_input', 'invalid input in field', fields)));
    const thrown = await rejection(provider.create(spec));
    expect(thrown).toMatchObject({ kind: 'invalid', providerCode: 'invalid_input', requestId: 'corr-1' });
    expect(thrown.message).toContain('user_data: Length must be between 0 and 32768.');
  });

  it('a taken name is a conflict', async () => {
    await script(post('/servers', error(409, 'uniqueness_error', 'server name is already used', null)));
    expect((await rejection(provider.create(spec))).kind).toBe('conflict');
  });

  it.each<[string, Record<string, string>, number, number]>([
    ['retry-after', { 'retry-after': '7' }, 7_000, 7_000],
    ['ratelimit-reset soon', { 'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 20) }, 10_000, 20_000],
    ['ratelimit-reset in an hour', { 'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3_600) }, 6e4, 6e4],
    ['ratelimit-reset in the past', { 'ratelimit-reset': '1' }, 1_000, 1_000],
  ])('says how long to wait, by %s', async (_, headers, min, max) => {
    const body = { error: { code: 'rate_limit_exceeded', message: 'limit of 3600 requests per hour reached' } };
    await script(get('/servers/1', json(body, 429, headers)));
    const thrown = await rejection(provider.get('1'));
    expect(thrown.kind).toBe('rate-limited');
    expect(thrown.retryAfterMs).toBeGreaterThanOrEqual(min);
    expect(thrown.retryAfterMs).toBeLessThanOrEqual(max);
  });
});

describe('the key in the project', () => {
  // Made, and its fingerprint told, by ssh-keygen.
  const key = {
    name: 'agent-controller-x',
    publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM x',
  };
  const fingerprint = '78:34:08:b1:19:bc:71:30:d7:42:06:c7:ae:d4:98:da';
  const find = (...ids: number[]) => {
    const entries = ids.map((id) => ({ id, name: key.name, fingerprint }));
    return get('/ssh_keys', page('ssh_keys', entries), { fingerprint, page: '1', per_page: '50' });
  };
  const body = { name: key.name, public_key: key.publicKey, labels: {} };
  const taken = error(409, 'uniqueness_error', 'SSH key not unique');

  it('is found by its fingerprint', async () => {
    await script(find(99));
    expect(await provider.ensureSentinel(key)).toBe('99');
  });

  it('is created when it is not there', async () => {
    const made = json({ ssh_key: { id: 100, name: key.name, fingerprint } }, 201);
    await script(find(), post('/ssh_keys', made, body));
    expect(await provider.ensureSentinel(key)).toBe('100');
  });

  it('is looked up when another controller was faster', async () => {
    await script(find(), post('/ssh_keys', taken), find(101));
    expect(await provider.ensureSentinel(key)).toBe('101');
  });

  it('is a conflict when its name is taken by another key', async () => {
    await script(find(), post('/ssh_keys', taken), find());
    expect((await rejection(provider.ensureSentinel(key))).kind).toBe('conflict');
  });

  it('is there or not', async () => {
    const there = json({ ssh_key: { id: 99, name: key.name, fingerprint } });
    await script(get('/ssh_keys/99', there), get('/ssh_keys/99', error(404, 'not_found', 'ssh key not found')));
    expect([await provider.hasSentinel('99'), await provider.hasSentinel('99')]).toEqual([true, false]);
  });
});
