import type { Problem } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { until } from './support/until';

const PROVIDERS = '/api/clients/provisioning/providers';
const PATHS = ['', '/hetzner/server-types', '/hetzner/locations', '/digital-ocean/images'].map(
  (each) => PROVIDERS + each,
);
/** Told by the time, and by how often somebody calls. */
const CHANGING = ['date', 'ratelimit-remaining', 'ratelimit-reset'];

describe('what is prepared is answered by a short way', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController({ LOG_LEVEL: 'info', CALLER_RATE_LIMIT: '1000' });
  });
  afterAll(() => installation.dispose());

  const requests = (path: string) =>
    controller
      .log()
      .split('\n')
      .filter((line) => line.includes(`"path":"${path}"`) && line.includes('"msg":"request"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const lasting = (headers: Headers) => [...headers].filter(([name]) => !CHANGING.includes(name)).sort();

  it.each(PATHS)('with the same headers and bytes as by the usual one: %s', async (path) => {
    // Prepares it, and makes the key one that was good lately.
    await controller.api.get(path);
    // An origin goes the usual way, and changes nothing where none is configured.
    const [short, usual] = [
      await controller.api.open(path),
      await controller.api.open(path, { origin: 'https://x.example' }),
    ];
    expect([short.status, usual.status]).toEqual([200, 200]);
    expect(lasting(short.headers)).toEqual(lasting(usual.headers));
    expect(await short.text()).toBe(await usual.text());
    for (const { headers } of [short, usual]) expect(headers.get('ratelimit-remaining')).toMatch(/^\d+$/);
  });

  it('is logged and counted as the usual one', async () => {
    const path = `${PROVIDERS}/hetzner/images`;
    const counted = async () => {
      const text = await (await controller.api.open('/metrics')).text();
      const of = /^http_request_duration_seconds_count\{.*providers\/:providerType\/images".*\} (\d+)$/m;
      return Number(of.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    await controller.api.get(path);
    await controller.api.get(path);
    await controller.api.get(path, { origin: 'https://x.example' });
    await until(counted, (count) => count === before + 3);
    // The first one prepared it, by the usual way.
    const [, short, usual] = await until(
      async () => requests(path),
      (found) => found.length === 3,
    );
    expect(Object.keys(short ?? {})).toEqual(Object.keys(usual ?? {}));
    expect(short).toMatchObject({ method: 'GET', path, status: 200 });
  });

  it('not to who has no key, calls too often, or has the answer', async () => {
    const limited = await installation.startController({ CALLER_RATE_LIMIT: '20' });
    const path = PROVIDERS;
    const first = await limited.api.open(path);
    expect((await fetch(limited.url + path)).status).toBe(401);
    expect((await fetch(limited.url + path, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    const known = await limited.api.open(path, { 'if-none-match': first.headers.get('etag') ?? '' });
    expect(known.status).toBe(304);
    const refused = await until(
      () => limited.api.get<Problem>(path),
      ({ status }) => status !== 200,
    );
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    await limited.stop();
  });
});
