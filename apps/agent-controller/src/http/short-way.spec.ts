import { PreparedAnswer } from '@agent-controller/provisioning-feature';
import fastify, { type FastifyInstance } from 'fastify';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callRecord } from './call-record';
import { openShortWay } from './short-way';

const PATH = '/api/clients/provisioning/providers';
const answer = new PreparedAnswer([{ type: 'hetzner', displayName: 'Hetzner Clöud' }]);

describe('openShortWay', () => {
  let app: FastifyInstance;
  let usual: number;
  let observed: unknown[];
  let lines: unknown[];
  let errors: unknown[];
  let limit: number;

  beforeEach(async () => {
    [usual, observed, lines, errors, limit] = [0, [], [], [], 600];
    app = fastify();
    app.all('/*', async () => {
      usual += 1;
      return 'by the usual way';
    });
    openShortWay(app, {
      answers: { atOnce: (path) => (path === PATH ? { answer, route: '/route' } : null) },
      access: {
        admitReader: (given) => {
          if (given === 'Bearer broken') throw new Error('a mistake of ours');
          return given === 'Bearer right' ? { allowed: true, limit, remaining: 4, resetSeconds: 30 } : null;
        },
      },
      logger: { error: (fields: object) => void errors.push(fields) },
      record: callRecord(
        { observeRequest: (...given) => void observed.push(given) },
        { info: (fields: object) => void lines.push(fields) },
      ),
      telling: ['x-forwarded-for'],
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => app.close());

  interface Got {
    status: number | undefined;
    headers: NodeJS.Dict<string | string[]>;
    body: string;
  }

  function call(headers: Record<string, string> = {}, { method = 'GET', path = PATH } = {}): Promise<Got> {
    const { port } = app.server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      request({ port, method, path, headers: { authorization: 'Bearer right', ...headers } }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
      })
        .on('error', reject)
        .end();
    });
  }

  it('answers what is prepared, with all headers, one line of the log and one observation', async () => {
    const { status, headers, body } = await call();
    expect({ status, body, usual }).toEqual({ status: 200, body: answer.body, usual: 0 });
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(answer.body)),
      'cache-control': answer.headers['cache-control'],
      etag: answer.headers['etag'],
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      ...{ 'ratelimit-limit': '600', 'ratelimit-remaining': '4', 'ratelimit-reset': '30' },
    });
    expect(lines).toMatchObject([{ method: 'GET', path: PATH, status: 200, requestId: expect.any(String) }]);
    expect(observed).toEqual([[{ method: 'GET', route: '/route', status: 200 }, expect.any(Number)]]);
  });

  it('says nothing of limits where there is none', async () => {
    limit = 0;
    const { headers } = await call();
    expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });

  it.each([
    ['of another path', {}, { path: `${PATH}?x=1` }],
    ['of the same path in other words', {}, { path: `${PATH}/` }],
    ['by another method', {}, { method: 'HEAD' }],
    ['by a method that changes something', {}, { method: 'POST' }],
    ['without a right key', { authorization: 'Bearer wrong' }, {}],
    ['of another origin', { origin: 'https://example.com' }, {}],
    ['that knows an answer', { 'if-none-match': '*' }, {}],
    ['with a body', { 'content-length': '0' }, {}],
    ['with a header that it was told of', { 'x-forwarded-for': '203.0.113.7' }, {}],
  ])('leaves a call %s to the usual way', async (_which, headers, options) => {
    await call(headers, options);
    expect([usual, observed, lines]).toEqual([1, [], []]);
  });

  it('leaves a call to the usual way when something breaks', async () => {
    expect((await call({ authorization: 'Bearer broken' })).body).toBe('by the usual way');
    expect(errors).toEqual([{ err: new Error('a mistake of ours') }]);
  });
});
