import { CloudError, type CloudServer, type ServerSpec } from '@agent-controller/cloud-port';
import { json, rejection, type ScriptedStep } from '@agent-controller/cloud-port/testing';
import { error, labels, owner, page, server } from './hetzner-answers.fixture';
import { HetznerScript, get, post, remove } from './hetzner-script.fixture';

const spec: ServerSpec = {
  owner,
  name: 'web-1',
  serverType: 'cx23',
  location: 'fsn1',
  image: 'debian-13',
  userData: '#cloud-config\n{}\n',
  sshKeyIds: ['99'],
  firewall: '7',
};

const hetzner = new HetznerScript();

const ids = (servers: CloudServer[]) => servers.map(({ id }) => id);

describe('servers', () => {
  const body = {
    name: 'web-1',
    server_type: 'cx23',
    location: 'fsn1',
    image: 'debian-13',
    ssh_keys: [99],
    user_data: spec.userData,
    labels,
    firewalls: [{ firewall: 7 }],
    start_after_create: true,
  };

  it('creates with labels, key and user data, and reads an answer without `datacenter`', async () => {
    const answer = {
      server: server(42, { status: 'initializing' }),
      action: {},
      next_actions: [],
      root_password: null,
    };
    const provider = await hetzner.start(post('/servers', json(answer, 201), body));
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
      firewalls: ['7'],
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
    const provider = await hetzner.start(get('/servers/9007199254740991', json({ server: odd })));
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
    const provider = await hetzner.start(
      get('/servers', page('servers', [later], 2), query),
      get('/servers', page('servers', [server(3), server(1)]), { ...query, page: '2' }),
    );
    expect(ids(await provider.findByOwner(owner))).toEqual(['1', '3', '2']);
  });

  it('looks at one or two servers by id, and leaves out those that are not found', async () => {
    const provider = await hetzner.start(get('/servers/1', error(404, 'not_found', 'server not found')));
    expect(await provider.look([{ serverId: '1', createdAt: new Date() }])).toEqual({ servers: [], requests: 1 });
  });

  it('looks at many newest first, and stops at the oldest that is waited for', async () => {
    const created = (second: number) => `2026-08-01T10:00:0${second}+00:00`;
    const waiting = [3, 5, 6].map((n) => ({ serverId: String(n), createdAt: new Date(created(n)) }));
    const query = { label_selector: 'managed-by==agent-controller', sort: 'created:desc', page: '1', per_page: '50' };
    const entries = [6, 5, 4, 2].map((n) => server(n, { created: created(n) }));
    const provider = await hetzner.start(get('/servers', page('servers', entries, 2), query));
    expect(ids((await provider.look(waiting)).servers)).toEqual(['6', '5']);
  });

  it('lists only servers that run when those alone are wanted: the newest of them are the latest news', async () => {
    const waiting = [5, 6].map((n) => ({ serverId: String(n), createdAt: new Date('2026-08-01T10:00:05+00:00') }));
    const query = { label_selector: 'managed-by==agent-controller', sort: 'created:desc', status: 'running' };
    const entries = [
      server(5, { created: '2026-08-01T10:00:05+00:00' }),
      server(2, { created: '2026-08-01T09:00:00+00:00' }),
    ];
    const provider = await hetzner.start(
      get('/servers', page('servers', entries, 2), { ...query, page: '1', per_page: '50' }),
    );
    const { servers, requests } = await provider.look(waiting, { runningOnly: true });
    expect([ids(servers), requests]).toEqual([['5'], 1]);
  });

  it('lists all servers of ours, page by page', async () => {
    const provider = await hetzner.start(
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
    const provider = await hetzner.start(
      remove('/servers/1', json({ action: { id: 1 } })),
      remove('/servers/1', error(423, 'locked', 'server is locked')),
      remove('/servers/1', error(404, 'not_found', 'server not found')),
    );
    expect(await provider.destroy('1')).toBe('deleting');
    expect((await rejection(provider.destroy('1'))).kind).toBe('conflict');
    expect(await provider.destroy('1')).toBe('gone');
  });

  it.each(['', 'x', '1/../2', '0', '99999999999999999'])('sends nothing for the id "%s"', async (id) => {
    const provider = await hetzner.start();
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
    ['an answer without end', 'drip', 'unavailable', 'outcome-unknown'],
  ])('%s', async (_, answer, onRead, onCreate) => {
    const provider = await hetzner.start(get('/servers/1', answer), post('/servers', answer));
    expect((await rejection(provider.get('1'))).kind).toBe(onRead);
    expect((await rejection(provider.create(spec))).kind).toBe(onCreate);
  });

  it('nobody listens: nothing was ordered', async () => {
    const provider = await hetzner.start();
    await hetzner.http.close();
    expect((await rejection(provider.create(spec))).kind).toBe('unavailable');
  });

  it('a redirect is not followed with the token', async () => {
    const provider = await hetzner.start(get('/servers/1', { status: 302, headers: { location: '/v1/servers/2' } }));
    expect((await rejection(provider.get('1'))).kind).toBe('unavailable');
  });

  it('keeps code, request id and message of a real error', async () => {
    const fields = { fields: [{ name: 'user_data', messages: ['Length must be between 0 and 32768.'] }] };
    const provider = await hetzner.start(
      post('/servers', error(422, 'invalid_input', 'invalid input in field', fields)),
    );
    const thrown = await rejection(provider.create(spec));
    expect(thrown).toMatchObject({ kind: 'invalid', providerCode: 'invalid_input', requestId: 'corr-1' });
    expect(thrown.message).toContain('user_data: Length must be between 0 and 32768.');
  });

  it('a taken name is a conflict', async () => {
    const provider = await hetzner.start(
      post('/servers', error(409, 'uniqueness_error', 'server name is already used', null)),
    );
    expect((await rejection(provider.create(spec))).kind).toBe('conflict');
  });

  it.each<[string, Record<string, string>, number, number]>([
    ['retry-after', { 'retry-after': '7' }, 7_000, 7_000],
    ['ratelimit-reset soon', { 'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 20) }, 10_000, 20_000],
    ['ratelimit-reset in an hour', { 'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3_600) }, 6e4, 6e4],
    ['ratelimit-reset in the past', { 'ratelimit-reset': '1' }, 1_000, 1_000],
  ])('says how long to wait, by %s', async (_, headers, min, max) => {
    const body = { error: { code: 'rate_limit_exceeded', message: 'limit of 3600 requests per hour reached' } };
    const provider = await hetzner.start(get('/servers/1', json(body, 429, headers)));
    const thrown = await rejection(provider.get('1'));
    expect(thrown.kind).toBe('rate-limited');
    expect(thrown.retryAfterMs).toBeGreaterThanOrEqual(min);
    expect(thrown.retryAfterMs).toBeLessThanOrEqual(max);
  });
});
