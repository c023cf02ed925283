import type { Problem, ProvisioningPreviewView } from '@agent-controller/contracts';
import { Api } from './support/api';
import { newKey } from './support/api-keys';
import { Installation, type Controller } from './support/controller-process';
import { provision, provisionBody, untilPhase } from './support/provision';
import { converse, drip } from './support/raw-request';
import { until } from './support/until';

const PREVIEW = '/api/clients/provisioning/preview';

describe('limits', () => {
  let installation: Installation;
  const [alice, bob, carol] = [newKey('alice', 'operator'), newKey('bob', 'operator'), newKey('carol', 'viewer')];
  const keys = { API_KEYS: [alice, bob, carol].map(({ entry }) => entry).join() };

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.dispose());

  describe('of rates, with two controllers', () => {
    let one: Controller;
    let two: Controller;

    beforeAll(async () => {
      const env = { ...keys, CALLER_RATE_LIMIT: '40', FAILED_AUTHENTICATION_LIMIT: '10', TRUST_PROXY: '127.0.0.1' };
      [one, two] = await Promise.all([installation.startController(env), installation.startController(env)]);
    });

    /** As often as it takes; in a minute that is just over, the count begins anew. */
    async function untilRefused(call: () => Promise<{ status: number }>): Promise<number> {
      for (let calls = 1; calls <= 1_000; calls++) if ((await call()).status === 429) return calls;
      return Infinity;
    }

    it('refuse a caller who asks too often, at every controller, and nobody else', async () => {
      const [first, second] = [new Api(one.url, alice.key), new Api(two.url, alice.key)];
      expect(await untilRefused(() => first.get('/api/clients'))).toBeLessThanOrEqual(2 * 40 + 1);
      // Not 40 more: the other one soon knows of them.
      expect(await untilRefused(() => second.get('/api/clients'))).toBeLessThanOrEqual(2 * 40);
      const { status, headers, body } = await until(
        () => first.get<Problem>('/api/clients'),
        (answer) => answer.status === 429,
      );
      expect({ status, body }).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
      expect(headers.get('ratelimit-limit')).toBe('40');
      expect(headers.get('ratelimit-remaining')).toBe('0');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect((await new Api(one.url, bob.key).get('/api/clients')).status).toBe(200);
      expect((await fetch(`${one.url}/api/health`)).headers.get('ratelimit-limit')).toBeNull();
    });

    it('refuse an address that guesses, by its forwarded address, and let in who was in before', async () => {
      const from = (address: string) => ({ 'x-forwarded-for': address });
      const guess = (address: string) => new Api(two.url, 'a wrong key').get('/api/clients', from(address));
      expect((await new Api(two.url, carol.key).get('/api/clients', from('203.0.113.9'))).status).toBe(200);
      expect(await untilRefused(() => guess('203.0.113.9'))).toBeLessThanOrEqual(2 * 10 + 1);
      await until(
        () => guess('203.0.113.9'),
        ({ status }) => status === 429,
      );
      expect((await guess('203.0.113.10')).status).toBe(401);
      const known = await new Api(two.url, carol.key).get('/api/clients', from('203.0.113.9'));
      expect(known.status).toBe(200);
      // What is written into the header by the caller itself is before what the proxy adds.
      expect([401, 429]).toContain((await guess('203.0.113.77, 203.0.113.9')).status);
      await until(
        () => guess('203.0.113.77, 203.0.113.9'),
        ({ status }) => status === 429,
      );
    });
  });

  describe('of quotas', () => {
    let controller: Controller;
    const made: string[] = [];

    beforeAll(async () => {
      controller = await installation.startController({ ...keys, MAX_SERVERS: '3', MAX_SERVERS_PER_OWNER: '2' });
    });
    afterAll(async () => {
      for (const id of made) await controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=120' });
    });

    it('let no two orders at once have the last place, say so in a preview, and count what is being deleted', async () => {
      const api = new Api(controller.url, alice.key);
      const answers = await Promise.all(Array.from({ length: 6 }, () => provision(api)));
      expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 403, 403, 403, 403]);
      made.push(...answers.filter(({ status }) => status === 202).map(({ body }) => body.id));
      expect(answers.find(({ status }) => status === 403)?.body).toMatchObject({
        ...{ code: 'quota-exceeded', quota: 'servers-per-owner', limit: 2, used: 2, asked: 1 },
      });
      const preview = await api.post<ProvisioningPreviewView>(PREVIEW, provisionBody());
      expect(preview.body.problems).toMatchObject([{ field: null, code: 'quota-exceeded' }]);
      const other = new Api(controller.url, bob.key);
      const [third, fourth] = [await provision(other), await provision(other)];
      made.push(third.body.id);
      expect([third.status, fourth.status]).toEqual([202, 403]);
      expect(fourth.body).toMatchObject({ quota: 'servers', limit: 3, used: 3 });
      const [first = ''] = made;
      await untilPhase(api, first, 'ready');
      await api.delete(`/api/clients/${first}/provisioning`);
      await until(
        () => provision(api),
        ({ status, body }) => {
          if (status !== 202) return false;
          made.push(body.id);
          return true;
        },
      );
      expect((await api.get(`/api/clients/${first}`)).status).toBe(404);
    });
  });

  describe('of time and size', () => {
    let controller: Controller;

    beforeAll(async () => {
      controller = await installation.startController({
        ...{ HEADERS_TIMEOUT_SECONDS: '1', REQUEST_TIMEOUT_SECONDS: '2' },
      });
    });

    it('end a request whose headers never end', async () => {
      const { text } = await drip(controller.url, 'GET /api/health HTTP/1.1\r\nHost: a\r\nX-A: ', 'a');
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain('"code":"request-timeout"');
    });

    it('end what is no request, or has too many headers', async () => {
      const { text } = await drip(controller.url, 'NONSENSE\r\n\r\n', '');
      expect(text).toMatch(/^HTTP\/1\.1 400 [^]*"code":"malformed-request"/);
      const large = await drip(controller.url, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, '');
      expect(large.text).toMatch(/^HTTP\/1\.1 431 [^]*"code":"headers-too-large"/);
    });

    it('end a request whose body never ends', async () => {
      const head = `POST /api/clients HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${installation.apiKey}\r\n`;
      const body = 'Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{"name":"';
      const { text } = await drip(controller.url, head + body, 'a');
      expect(text).toMatch(/^HTTP\/1\.1 408 |^$/);
    });

    it('cut neither an answer that is waited for nor a stream', async () => {
      // While the provider is away, nothing gets ready.
      await installation.emulator.addFault({
        ...{ provider: 'hetzner', method: 'POST', path: '/servers', status: 503, times: 10_000 },
      });
      const begun = Date.now();
      const order = provision(controller.api, { name: 'waits' }, { prefer: 'wait=7' });
      const [{ id = '' } = {}] = await until(
        async () => (await controller.api.get<{ id: string }[]>('/api/clients?limit=1')).body,
        ([client]) => client !== undefined,
      );
      const abort = new AbortController();
      const accept = { accept: 'text/event-stream' };
      const stream = await controller.api.open(`/api/clients/${id}/provisioning/events`, accept, abort.signal);
      expect(await order).toMatchObject({ status: 202, body: { id } });
      // Otherwise it proves nothing.
      expect(Date.now() - begun).toBeGreaterThan(6_000);
      await controller.api.delete(`/api/clients/${id}/provisioning`);
      let text = '';
      for await (const chunk of stream.body ?? []) {
        text += Buffer.from(chunk).toString();
        if (text.includes('Deletion was requested')) break;
      }
      abort.abort();
      await installation.emulator.clearFaults();
      expect(text).toContain('Deletion was requested');
    });

    it('of bodies, by route', async () => {
      const send = (path: string, bytes: number, authorization = `Bearer ${installation.apiKey}`) =>
        fetch(controller.url + path, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ name: 'x'.repeat(bytes) }),
        }).then(({ status }) => status);
      expect(await send('/api/clients/provisioning/provision', 1_900_000)).toBe(400);
      expect(await send('/api/clients/provisioning/provision', 2_100_000)).toBe(413);
      expect(await send('/api/clients', 400_000)).toBe(400);
      expect(await send('/api/clients', 600_000)).toBe(413);
      expect(await send('/api/provisioning/callbacks/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', 600_000)).toBe(413);
      // Nothing is read of who may not call.
      expect(await send('/api/clients', 600_000, 'Bearer wrong')).toBe(401);
    });

    it('of bodies, for who still sends when the answer comes: the connection stays, and the rest is not believed', async () => {
      const head = (method: string, more = '') =>
        `${method} /api/clients HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${installation.apiKey}\r\n${more}\r\n`;
      const type = 'Content-Type: application/json\r\n';
      const body = head('DELETE').repeat(9_000);
      const tooLong = head('POST', `${type}Content-Length: ${body.length}\r\n`);
      expect(body.length).toBeGreaterThan(600_000);
      expect(await converse(controller.url, [tooLong, body + head('GET'), head('GET')])).toEqual([413, 200, 200]);
      // What nobody should wait for.
      const endless = head('POST', `${type}Content-Length: ${2 ** 40}\r\n`);
      expect((await converse(controller.url, [endless, body, body]))[0]).toBe(413);
    });
  });

  describe('of browsers', () => {
    let controller: Controller;

    beforeAll(async () => {
      controller = await installation.startController({ CORS_ORIGIN: '' });
    });

    it('no other origin may call, unless it is configured', async () => {
      for (const method of ['OPTIONS', 'GET']) {
        const { headers } = await fetch(`${controller.url}/api/clients`, {
          method,
          headers: {
            ...{ origin: 'https://evil.example.com', 'access-control-request-method': 'DELETE' },
            authorization: `Bearer ${installation.apiKey}`,
          },
        });
        expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    });

    it.each(['/api/clients', '/api/health', '/api/nothing', '/api/docs', '/metrics', '/api/clients/%zz'])(
      '%s has security headers',
      async (path) => {
        const { headers } = await controller.api.open(path);
        const csp = headers.get('content-security-policy') ?? '';
        // A URL that is none is refused before any hook.
        if (path === '/api/clients/%zz') return expect(headers.get('content-type')).toContain('problem+json');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('x-frame-options')).toBe('DENY');
        expect(headers.get('referrer-policy')).toBe('no-referrer');
        expect(headers.get('strict-transport-security')).toContain('max-age=');
        expect(headers.get('cache-control')).toBe('no-store');
        expect(csp).toContain("default-src 'none'");
        expect(csp).toContain("frame-ancestors 'none'");
        expect(csp.includes('script-src')).toBe(path === '/api/docs');
        return undefined;
      },
    );

    it('shows the documentation, whose scripts may run and whose files load', async () => {
      const page = await controller.api.open('/api/docs');
      const html = await page.text();
      const files = [...html.matchAll(/(?:src|href)="\.?\/?([^":]+\.(?:js|css|png))"/g)].map(([, file]) => file);
      expect(files.length).toBeGreaterThan(2);
      for (const file of files) {
        const path = file?.startsWith('docs/') ? `/api/${file}` : `/api/docs/${file}`;
        expect([path, (await controller.api.open(path)).status]).toEqual([path, 200]);
      }
    });
  });
});
