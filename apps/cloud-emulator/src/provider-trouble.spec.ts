import { DROPLET_ORDER, EmulatedCloud, SERVER_ORDER } from './emulated-cloud.fixture';
import { until } from './server-call.fixture';

const LONG_MS = 600_000;
const SHORT_MS = 400;
const provider = {
  hetzner: { prefix: '/hetzner/v1', path: '/servers', order: SERVER_ORDER, kind: 'servers', done: [201, 200] },
  digitalocean: {
    prefix: '/digitalocean/v2',
    path: '/droplets',
    order: { ...DROPLET_ORDER, tags: ['mine'] },
    kind: 'droplets',
    done: [202, 204],
  },
} as const;

const HETZNER_ERRORS: [number, string][] = [
  [400, 'json_error'],
  [401, 'unauthorized'],
  [401, 'token_readonly'],
  [403, 'forbidden'],
  [403, 'maintenance'],
  [403, 'resource_limit_exceeded'],
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [409, 'uniqueness_error'],
  [409, 'conflict'],
  [410, 'deprecated_api_endpoint'],
  [412, 'resource_unavailable'],
  [422, 'invalid_input'],
  [422, 'service_error'],
  [422, 'unsupported_error'],
  [422, 'must_be_unassigned'],
  [423, 'locked'],
  [423, 'protected'],
  [429, 'rate_limit_exceeded'],
  [500, 'server_error'],
  [502, 'bad_gateway'],
  [503, 'unavailable'],
  [504, 'timeout'],
];
const DIGITALOCEAN_ERRORS: [number, string][] = [
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [422, 'unprocessable_entity'],
  [429, 'too_many_requests'],
  [500, 'server_error'],
];

interface Seen {
  status: number;
  text: string;
  headers: Headers;
}

describe.each(['hetzner', 'digitalocean'] as const)('trouble with %s', (name) => {
  const { prefix, path, order, kind, done } = provider[name];
  let cloud: EmulatedCloud;
  beforeAll(async () => (cloud = await EmulatedCloud.start()));
  afterAll(() => cloud?.close());
  beforeEach(() => cloud.newToken());

  /** Status 0 when no whole answer came. */
  async function call(method: string, at = path as string, body?: object, signal?: AbortSignal): Promise<Seen> {
    try {
      const response = await fetch(cloud.url + prefix + at, {
        method,
        signal,
        headers: { authorization: `Bearer ${cloud.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body && JSON.stringify(body),
      });
      return { status: response.status, text: await response.text(), headers: response.headers };
    } catch {
      return { status: 0, text: '', headers: new Headers() };
    }
  }
  const post = (signal?: AbortSignal) => call('POST', path, order, signal);
  const trouble = (method: string, fault: object) => cloud.addFault({ provider: name, method, ...fault });
  const listed = async (query = ''): Promise<string[]> => {
    const answer = JSON.parse((await call('GET', path + query)).text) as Record<string, { id: number }[]>;
    return (answer[kind] ?? []).map(({ id }) => String(id));
  };
  const existing = async () => (await cloud.servers()).filter(({ life }) => life !== 'deleting').map(({ id }) => id);
  const ordered = async (): Promise<string> => {
    expect((await post()).status).toBe(done[0]);
    return (await existing())[0] ?? '';
  };

  it.each([
    ['a status with HTML', { status: 502, body: '<html>x</html>' }, 502, '<html>x</html>'],
    ['an error of its own by its name', { code: 'forbidden', message: 'no' }, 403, 'forbidden'],
    ['a reset', { dropAnswer: true, effect: 'before' }, 0, ''],
  ])('before anything is done: %s', async (_what, fault, status, text) => {
    await trouble('POST', { ...fault, effect: 'before' });
    const answer = await post();
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    expect(await existing()).toEqual([]);
    expect((await post()).status).toBe(done[0]);
  });

  it.each([
    ['a status with HTML', { status: 503, body: '<html>x</html>' }, 503, '<html>x</html>'],
    ['an error of its own', { code: 'server_error' }, 500, 'server_error'],
    ['a body that is none', { status: done[0], body: 'ok' }, done[0], 'ok'],
    ['a reset', { dropAnswer: true }, 0, ''],
    ['half a body', { truncate: true }, 0, ''],
  ])('after all was done: %s', async (_what, fault, status, text) => {
    await trouble('POST', { effect: 'after', ...fault });
    const answer = await post();
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    const [id] = await existing();
    expect(id).toEqual(expect.any(String));
    await trouble('DELETE', { effect: 'after', status: 502, body: '<html>x</html>' });
    expect((await call('DELETE', `${path}/${id}`)).status).toBe(502);
    expect(await existing()).toEqual([]);
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ])('hangs until the faults are cleared, %s the work', async (effect, count) => {
    await trouble('POST', { hang: true, effect });
    const hanging = post();
    await until(
      async () => (await existing()).length,
      (seen) => seen === count,
    );
    const early = await Promise.race([hanging, new Promise((resolve) => setTimeout(resolve, 100, 'hangs'))]);
    expect(early).toBe('hangs');
    await cloud.admin('DELETE', `/faults?token=${cloud.token}`);
    expect((await hanging).status).toBe(0);
    expect(await existing()).toHaveLength(count);
  });

  it('hangs until the caller goes', async () => {
    await trouble('POST', { hang: true });
    expect((await post(AbortSignal.timeout(100))).status).toBe(0);
    const requests = await until(
      async () => (await (await cloud.admin('GET', `/requests?token=${cloud.token}`)).json()) as { status: number }[],
      ({ length }) => length === 1,
    );
    expect(requests.map(({ status }) => status)).toEqual([0]);
    expect(await existing()).toEqual([]);
  });

  it('drips: the whole answer, byte by byte', async () => {
    const id = await ordered();
    const whole = (await call('GET', `${path}/${id}/actions`)).text;
    await trouble('GET', { dripMs: 1 });
    const began = performance.now();
    expect((await call('GET', `${path}/${id}/actions`)).text).toHaveLength(whole.length);
    expect(performance.now() - began).toBeGreaterThan(whole.length / 2);
    await trouble('GET', { dripMs: 20 });
    expect((await call('GET', `${path}/${id}`, undefined, AbortSignal.timeout(300))).status).toBe(0);
  });

  it('an order that makes two servers', async () => {
    await trouble('POST', { duplicate: true });
    expect((await post()).status).toBe(done[0]);
    const servers = await cloud.servers();
    expect(servers.map((server) => server.name)).toEqual(name === 'hetzner' ? ['one', 'one-again'] : ['one', 'one']);
    expect(await listed(name === 'hetzner' ? '' : '?tag_name=mine')).toHaveLength(2);
  });

  it('a new server that is nowhere to be seen at first', async () => {
    await trouble('POST', { hiddenMs: SHORT_MS });
    const id = await ordered();
    expect((await call('GET', `${path}/${id}`)).status).toBe(404);
    expect(await listed()).toEqual([]);
    await until(listed, ({ length }) => length === 1);
    expect((await call('GET', `${path}/${id}`)).status).toBe(200);
  });

  it('a new server that is missing from lists', async () => {
    await trouble('POST', { lagMs: SHORT_MS });
    const id = await ordered();
    expect((await call('GET', `${path}/${id}`)).status).toBe(200);
    expect(await listed()).toEqual([]);
    await until(listed, (seen) => seen.includes(id));
  });

  it('a deleted server that stays in lists, as it was', async () => {
    const id = await ordered();
    await trouble('DELETE', { lagMs: SHORT_MS });
    expect((await call('DELETE', `${path}/${id}`)).status).toBe(done[1]);
    await until(
      () => call('GET', `${path}/${id}`),
      ({ status }) => status === 404,
    );
    expect(await existing()).toEqual([]);
    expect(await listed()).toEqual([id]);
    await until(listed, ({ length }) => length === 0);
  });

  it('a deletion that takes effect later', async () => {
    const id = await ordered();
    await trouble('DELETE', { effectAfterMs: SHORT_MS });
    expect((await call('DELETE', `${path}/${id}`)).status).toBe(done[1]);
    expect((await call('GET', `${path}/${id}`)).status).toBe(200);
    await until(existing, ({ length }) => length === 0);
  });

  it('a deletion that never takes effect: the server is back', async () => {
    const id = await ordered();
    await trouble('DELETE', { hiddenMs: SHORT_MS });
    expect((await call('DELETE', `${path}/${id}`)).status).toBe(done[1]);
    expect((await call('GET', `${path}/${id}`)).status).toBe(404);
    expect(await existing()).toEqual([id]);
    await until(listed, (seen) => seen.includes(id));
  });

  it('a token of another project: 404 and nothing in lists, until it is its own again', async () => {
    const id = await ordered();
    const elsewhere = (value: boolean) => cloud.admin('POST', '/tokens/elsewhere', { token: cloud.token, value });
    await elsewhere(true);
    expect([(await call('GET', `${path}/${id}`)).status, (await call('DELETE', `${path}/${id}`)).status]).toEqual([
      404, 404,
    ]);
    expect(await listed()).toEqual([]);
    expect(await existing()).toEqual([id]);
    await post();
    expect(
      (await cloud.servers()).map((server) => (server as unknown as { isElsewhere: boolean }).isElsewhere),
    ).toEqual([false, true]);
    await elsewhere(false);
    await until(listed, (seen) => seen.join() === id);
  });

  it.each(name === 'hetzner' ? HETZNER_ERRORS : DIGITALOCEAN_ERRORS)('%i %s', async (status, code) => {
    await trouble('DELETE', { code, message: 'words', headers: { 'retry-after': '7' } });
    const { text, headers, ...answer } = await call('DELETE', `${path}/1`);
    const body = JSON.parse(text) as { error?: object };
    expect([answer.status, headers.get('retry-after')]).toEqual([status, '7']);
    if (name === 'hetzner') expect(body).toEqual({ error: { code, message: 'words', details: null } });
    else expect(body).toEqual({ id: code, message: 'words', request_id: headers.get('x-request-id') });
  });

  it('remembers what became of each server', async () => {
    const id = await ordered();
    const history = async () =>
      (await (await cloud.admin('GET', `/history?token=${cloud.token}`)).json()) as { id: string; deletedAt: string }[];
    expect(await history()).toEqual([expect.objectContaining({ id, provider: name, deletedAt: null })]);
    await call('DELETE', `${path}/${id}`);
    expect(await history()).toEqual([expect.objectContaining({ id, deletedAt: expect.any(String) })]);
  });

  it.each([
    ['GET', { duplicate: true }],
    ['DELETE', { duplicate: true }],
    ['GET', { hiddenMs: LONG_MS }],
    ['GET', { lagMs: LONG_MS }],
    ['POST', { effectAfterMs: LONG_MS }],
  ])('does not touch %s with %j', async (method, fault) => {
    await trouble(method, fault);
    const id = await ordered();
    await until(listed, (seen) => seen.includes(id));
    const faults = (await (await cloud.admin('GET', '/faults')).json()) as object[];
    expect(faults).toHaveLength(1);
    await cloud.admin('DELETE', `/faults?token=${cloud.token}`);
  });
});
