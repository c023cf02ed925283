import { DROPLET_ORDER, EmulatedCloud, PUBLIC_KEY, SERVER_ORDER, outcome } from './emulated-cloud.fixture';
import { callServer, until } from './server-call.fixture';
import { createKeyPair, userData } from './user-data.fixture';

// What holds for both providers. How servers come up is in provider-clients.spec.ts.
let cloud: EmulatedCloud;
beforeAll(async () => (cloud = await EmulatedCloud.start()));
afterAll(() => cloud?.close());
beforeEach(() => cloud.newToken());

const order = (changes: object = {}) => cloud.hetzner().post('/servers', { ...SERVER_ORDER, ...changes });
const orderDroplet = () => cloud.digitalOcean().droplet.createDroplet(DROPLET_ORDER);
const other = () => `${cloud.token}-other`;

describe('tokens', () => {
  it('each has a project of its own at each provider', async () => {
    await order();
    await cloud.digitalOcean().sshKey.createSshKey({ name: 'key', public_key: PUBLIC_KEY });
    expect([await cloud.names(), await cloud.names(other())]).toEqual([['one'], []]);
    expect((await cloud.hetzner(other()).post('/servers', SERVER_ORDER)).status).toBe(201);
    expect((await cloud.digitalOcean(other()).sshKey.listSshKeys({})).data.ssh_keys).toEqual([]);
    expect((await cloud.hetzner().get('/ssh_keys')).data.ssh_keys).toEqual([]);
  });

  it('neither sees, nor deletes, what belongs to another', async () => {
    const { data } = await order();
    const path = `/servers/${data.server.id}`;
    expect((await cloud.hetzner(other()).get(path)).status).toBe(404);
    expect((await cloud.hetzner(other()).delete(path)).status).toBe(404);
    expect((await cloud.hetzner().get(path)).status).toBe(200);
  });

  it('a revoked one is refused by both, until it is given back', async () => {
    await cloud.admin('POST', '/tokens/revoke', { token: cloud.token });
    const refused = await cloud.hetzner().get('/servers');
    expect([refused.status, refused.data.error.code]).toEqual([401, 'unauthorized']);
    expect(refused.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
    const data = { id: 'unauthorized', message: 'Unable to authenticate you', request_id: expect.any(String) };
    expect(await outcome(cloud.droplets())).toEqual({ status: 401, data });
    await cloud.admin('POST', '/tokens/revoke', { token: cloud.token, value: false });
    expect((await cloud.hetzner().get('/servers')).status).toBe(200);
  });

  it('a read-only one reads, and changes nothing', async () => {
    await cloud.admin('POST', '/tokens/readonly', { token: cloud.token });
    const refused = await order();
    expect([refused.status, refused.data.error.code]).toEqual([401, 'token_readonly']);
    expect(await outcome(orderDroplet())).toMatchObject({ status: 403, data: { id: 'forbidden' } });
    expect(await cloud.names()).toEqual([]);
    expect(await cloud.servers()).toEqual([]);
  });

  it('none is 401, and the admin API shows none of them', async () => {
    expect((await fetch(`${cloud.url}/hetzner/v1/servers`)).status).toBe(401);
    expect((await fetch(`${cloud.url}/digitalocean/v2/droplets`)).status).toBe(401);
    await order();
    await cloud.addFault({ status: 500, path: '^/never$' });
    for (const path of ['/servers', '/requests', '/faults']) {
      expect(await (await cloud.admin('GET', path)).text()).not.toContain(cloud.token);
    }
  });
});

describe('rate limits', () => {
  it("Hetzner's headers count the requests, and say when the budget is full again", async () => {
    const first = await cloud.hetzner().get('/locations');
    expect([first.headers['ratelimit-limit'], first.headers['ratelimit-remaining']]).toEqual(['3600', '3599']);
    await cloud.admin('POST', '/tokens/budget', { provider: 'hetzner', token: cloud.token, remaining: 1_600 });
    const { headers } = await cloud.hetzner().get('/locations');
    const remaining = Number(headers['ratelimit-remaining']);
    const seconds = Number(headers['ratelimit-reset']) - Date.now() / 1_000;
    // One comes back in a second.
    expect(Math.abs(3_600 - remaining - seconds)).toBeLessThan(5);
    expect(remaining).toBeGreaterThanOrEqual(1_599);
  });

  it('429 when the budget is spent, for this token at this provider, until some of it is back', async () => {
    await cloud.admin('POST', '/tokens/budget', { provider: 'hetzner', token: cloud.token, remaining: 1 });
    const ask = () => cloud.hetzner().get('/locations');
    const refused = await until(ask, ({ status }) => status !== 200);
    const error = { code: 'rate_limit_exceeded', message: 'limit of 3600 requests per hour reached', details: null };
    expect([refused.status, refused.headers['ratelimit-remaining'], refused.data]).toEqual([429, '0', { error }]);
    expect((await cloud.hetzner(other()).get('/locations')).status).toBe(200);
    expect((await cloud.droplets()).headers).toMatchObject({
      'ratelimit-limit': '5000',
      'ratelimit-remaining': '4999',
    });
    await until(ask, ({ status }) => status === 200);
  });

  it('budgets can be raised for runs of many servers, and are the usual ones again', async () => {
    const limits = async () => {
      const droplets = await cloud.droplets();
      const locations = await cloud.hetzner().get('/locations');
      return [droplets, locations].map(({ headers }) => {
        const told = headers as Record<string, string>;
        return [told['ratelimit-limit'], told['ratelimit-remaining']];
      });
    };
    await cloud.admin('PUT', '/settings', { budgetFactor: 10 });
    expect(await limits()).toEqual([
      ['50000', '49999'],
      ['36000', '35999'],
    ]);
    await cloud.admin('PUT', '/settings', { budgetFactor: 1 });
    expect(await limits()).toEqual([
      ['5000', '4999'],
      ['3600', '3599'],
    ]);
  });

  it("DigitalOcean's limit for a minute says when to come back", async () => {
    await cloud.admin('PUT', '/settings', { burstPerMinute: 2 });
    try {
      expect([(await cloud.droplets()).status, (await cloud.droplets()).status]).toEqual([200, 200]);
      const headers = { authorization: `Bearer ${cloud.token}` };
      const refused = await fetch(`${cloud.url}/digitalocean/v2/droplets`, { headers });
      const error = { id: 'too_many_requests', message: 'API Rate limit exceeded.', request_id: expect.any(String) };
      expect([refused.status, await refused.json()]).toEqual([429, error]);
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect((await cloud.droplets(other())).status).toBe(200);
    } finally {
      await cloud.admin('PUT', '/settings', { burstPerMinute: 250 });
    }
  });

  it('lists of SSH keys have a limit of their own', async () => {
    const statuses: number[] = [];
    for (let call = 0; call < 11; call++) {
      statuses.push((await outcome(cloud.digitalOcean().sshKey.listSshKeys({}))).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429]);
    expect((await cloud.droplets()).status).toBe(200);
  });

  it('a project holds no more servers than its limit', async () => {
    await cloud.admin('PUT', '/settings', { serverLimit: 0 });
    try {
      const refused = await order();
      expect([refused.status, refused.data.error.code]).toEqual([403, 'resource_limit_exceeded']);
      const message = 'creating this/these droplet(s) will exceed your droplet limit';
      expect(await outcome(orderDroplet())).toMatchObject({ status: 422, data: { message } });
    } finally {
      await cloud.admin('PUT', '/settings', { serverLimit: 1_000 });
    }
  });
});

describe('faults', () => {
  it('answer with a status and HTML, nothing or JSON, as often as was ordered', async () => {
    const body = '<html><h1>502 Bad Gateway</h1></html>';
    await cloud.addFault({ provider: 'digitalocean', method: 'GET', path: '^/droplets$', status: 502, body });
    expect(await outcome(cloud.droplets())).toEqual({ status: 502, data: body });
    expect((await cloud.droplets()).status).toBe(200);
    await cloud.addFault({ provider: 'hetzner', status: 500 });
    const empty = await fetch(`${cloud.url}/hetzner/v1/servers`, {
      headers: { authorization: `Bearer ${cloud.token}` },
    });
    expect([empty.status, await empty.text()]).toEqual([500, '']);
    const conflict = { error: { code: 'conflict' } };
    await cloud.addFault({ status: 409, body: conflict, headers: { 'retry-after': '7' } });
    const answer = await cloud.hetzner().get('/servers');
    expect([answer.status, answer.headers['retry-after'], answer.data]).toEqual([409, '7', conflict]);
  });

  it('do no work for an order that is answered with an error', async () => {
    await cloud.addFault({ method: 'POST', path: '^/servers$', status: 503 });
    expect((await order()).status).toBe(503);
    expect(await cloud.servers()).toEqual([]);
  });

  it('answer late', async () => {
    await cloud.addFault({ delayMs: 150 });
    const begin = performance.now();
    expect((await cloud.hetzner().get('/servers')).status).toBe(200);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(145);
  });

  it('drop the answer of an order whose work is done', async () => {
    await cloud.addFault({ method: 'POST', path: '^/servers$', dropAnswer: true });
    await expect(order()).rejects.toBeDefined();
    expect(await cloud.names()).toEqual(['one']);
    await cloud.addFault({ method: 'POST', path: '^/droplets$', dropAnswer: true });
    expect((await outcome(orderDroplet())).status).toBe(0);
    expect((await cloud.droplets()).data.droplets).toHaveLength(1);
  });

  it('drop the answer of a deletion that was done', async () => {
    await orderDroplet();
    const droplet_id = (await cloud.droplets()).data.droplets[0]?.id ?? 0;
    await cloud.addFault({ method: 'DELETE', dropAnswer: true });
    expect((await outcome(cloud.digitalOcean().droplet.deleteDroplet({ droplet_id }))).status).toBe(0);
    expect((await cloud.droplets()).data.droplets).toEqual([]);
  });

  it('let a boot fail: the provider says running, and nothing answers', async () => {
    const pair = await createKeyPair();
    await cloud.addFault({ bootFailure: true });
    const { data } = await order({ user_data: userData(pair) });
    const [server] = await until(
      () => cloud.servers(),
      ([one]) => one?.problem !== null,
    );
    expect(server?.problem).toContain('boot failed');
    expect((await cloud.hetzner().get(`/servers/${data.server.id}`)).data.server.status).toBe('running');
    const target = { address: data.server.public_net.ipv4.ip, certificate: pair.certificate };
    await expect(callServer(target, '/api/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('let an accepted server vanish, and its action fail', async () => {
    await cloud.addFault({ method: 'POST', path: '^/servers$', vanish: true });
    const { status, data } = await order();
    expect(status).toBe(201);
    const read = () => cloud.hetzner().get(`/servers/${data.server.id}`);
    await until(read, (answer) => answer.status === 404);
    const action = (await cloud.hetzner().get(`/actions/${data.action.id}`)).data.action;
    expect(action).toMatchObject({ status: 'error', error: { code: 'placement_error' } });

    await cloud.addFault({ method: 'POST', path: '^/droplets$', vanish: true });
    const ordered = (await orderDroplet()).data as unknown as { droplet: { id: number } };
    const byId = { droplet_id: ordered.droplet.id };
    const readDroplet = () => outcome(cloud.digitalOcean().droplet.getDroplet(byId));
    await until(readDroplet, (answer) => answer.status === 404);
    expect(await cloud.servers()).toEqual([]);
  });

  it('are refused when they make no sense, and removed for one token', async () => {
    const refused = await cloud.admin('POST', '/faults', { path: '(', status: 1_000 });
    expect([refused.status, ((await refused.json()) as { errors: string[] }).errors.length]).toEqual([400, 2]);
    await cloud.addFault({ times: 100, status: 500 });
    expect((await cloud.hetzner().get('/servers')).status).toBe(500);
    expect((await cloud.admin('DELETE', `/faults?token=${cloud.token}`)).status).toBe(204);
    expect((await cloud.hetzner().get('/servers')).status).toBe(200);
  });
});

describe('the admin API', () => {
  it('shows what a server costs, and every request with its outcome', async () => {
    await order();
    await orderDroplet();
    await cloud.hetzner().get('/servers/1');
    expect((await cloud.servers()).map(({ provider, cost }) => [provider, cost])).toEqual([
      ['hetzner', { monthly: 6.53, currency: 'EUR' }],
      ['digitalocean', { monthly: 12, currency: 'USD' }],
    ]);
    const requests = await (await cloud.admin('GET', `/requests?token=${cloud.token}`)).json();
    expect((requests as Record<string, unknown>[]).map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', '/hetzner/v1/servers', 201],
      ['POST', '/digitalocean/v2/droplets', 202],
      ['GET', '/hetzner/v1/servers/1', 404],
    ]);
  });

  it('sets times for the servers that are ordered from then on', async () => {
    await cloud.admin('PUT', '/settings', { bootMs: 3_600_000 });
    try {
      const { data } = await order();
      expect((await cloud.hetzner().get(`/servers/${data.server.id}`)).data.server.status).toBe('initializing');
      expect((await cloud.hetzner().get(`/actions/${data.action.id}`)).data.action.status).toBe('running');
      expect((await cloud.servers())[0]).toMatchObject({ life: 'booting', stage: 'boot' });
    } finally {
      await cloud.admin('PUT', '/settings', { bootMs: 1 });
    }
    expect(await (await cloud.admin('GET', '/settings')).json()).toMatchObject({ bootMs: 1, serverLimit: 1_000 });
  });

  it.each([{ bootMs: -1 }, { bootMs: '1' }, { unknown: 1 }])('refuses the settings %j', async (settings) => {
    expect((await cloud.admin('PUT', '/settings', settings)).status).toBe(400);
  });
});

describe('what benchmarks need', () => {
  it('tells when a server began to run, and its agent-manager to answer', async () => {
    const { data } = await order({ user_data: userData(await createKeyPair()) });
    const times = async () => {
      const answer = await cloud.admin('GET', `/times?token=${cloud.token}`);
      return (await answer.json()) as { answersAt: string | null }[];
    };
    const [known] = await until(times, (all) => (all[0]?.answersAt ?? null) !== null);
    expect(known).toMatchObject({ id: String(data.server.id), runningAt: expect.any(String) });
  });

  it('adds servers that only run, with the labels of another one, and lets them be deleted', async () => {
    const { data } = await order({ labels: { a: 'b' } });
    const added = await cloud.admin('POST', `/servers/${data.server.id}/copies`, { count: 120 });
    expect(await added.json()).toEqual({ count: 120 });
    const query = { label_selector: 'a==b', status: 'running', per_page: 50 };
    const page = async () => (await cloud.hetzner().get('/servers', { params: query })).data;
    const { servers, meta } = await until(page, ({ meta }) => meta.pagination.total_entries === 121);
    expect([servers.length, meta.pagination.last_page]).toEqual([50, 3]);
    expect((await cloud.hetzner().delete(`/servers/${servers[49].id}`)).status).toBe(200);
    expect((await cloud.admin('POST', '/servers/1/copies', { count: 1 })).status).toBe(404);
  });
});
