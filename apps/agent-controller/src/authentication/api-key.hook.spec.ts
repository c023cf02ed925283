import { AppError, Secret } from '@agent-controller/kernel';
import fastify, { type FastifyInstance } from 'fastify';
import { apiKeyHook } from './api-key.hook';

const KEY = 'a-key-of-more-than-16-characters:with=signs';

describe('apiKeyHook', () => {
  let app: FastifyInstance;
  /** What was thrown, and whose call arrived behind the hook. */
  let thrown: unknown;
  let arrived: unknown[];

  beforeEach(() => {
    thrown = undefined;
    arrived = [];
    app = fastify();
    app.addHook('onRequest', apiKeyHook(new Secret(KEY)));
    app.setErrorHandler((error, _request, reply) => {
      thrown = error;
      return reply.status(401).send();
    });
    app.all('/*', async (request) => {
      arrived.push((request as unknown as { caller?: unknown }).caller);
      return 'behind';
    });
  });
  afterEach(() => app.close());

  const call = (url: string, authorization?: string) =>
    app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([`Bearer ${KEY}`, `ApiKey ${KEY}`, `bearer ${KEY}`, `APIKEY ${KEY}`, `Bearer   ${KEY}  `])(
    'lets %j pass and says who calls',
    async (authorization) => {
      expect((await call('/api/clients', authorization)).statusCode).toBe(200);
      expect(arrived).toEqual([{ subject: 'static-api-key' }]);
    },
  );

  it.each([
    undefined,
    '',
    KEY,
    'Bearer',
    'Bearer ',
    `Bearer ${KEY}x`,
    `Bearer ${KEY.slice(1)}`,
    `Bearer ${KEY.toUpperCase()}`,
    `Bearer ${KEY} ${KEY}`,
    `Bearer x, Bearer ${KEY}`,
    `Token ${KEY}`,
    `Basic ${KEY}`,
    basic(`user:${KEY}`),
  ])('refuses %j', async (authorization) => {
    const { statusCode, headers } = await call('/api/clients', authorization);
    expect(statusCode).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="agent-controller"');
    expect(arrived).toEqual([]);
    expect(thrown).toBeInstanceOf(AppError);
    expect((thrown as AppError).code).toBe('unauthorized');
    expect((thrown as AppError).message).not.toContain(KEY);
  });

  it.each(['/api/health', '/api/health/live', '/api/health/ready', '/api/health?verbose=1'])(
    'leaves %s open, and nobody calls there',
    async (path) => {
      expect((await call(path)).statusCode).toBe(200);
      expect(arrived).toEqual([undefined]);
    },
  );

  it.each([
    '/',
    '/api',
    '/metrics',
    '/api/openapi.json',
    '/api/docs',
    '/api/clients?x=/api/health',
    '/api/health/',
    '/api/healthy',
    '/api/health/../clients',
    '/api/health%2f..%2fclients',
    '/API/HEALTH',
    '//api/health',
    '/api/docsx',
  ])('closes %s', async (path) => {
    expect((await call(path)).statusCode).toBe(401);
  });

  it.each(['/api/docs', '/api/docs/', '/api/docs/swagger-ui.css'])(
    'takes the key as a password at %s, for browsers',
    async (path) => {
      expect((await call(path)).headers['www-authenticate']).toBe('Basic realm="agent-controller"');
      expect((await call(path, basic(`anybody:${KEY}`))).statusCode).toBe(200);
      expect((await call(path, basic(`:${KEY}`))).statusCode).toBe(200);
      for (const wrong of [`anybody:${KEY}x`, `${KEY}:`, KEY, ':', '']) {
        expect((await call(path, basic(wrong))).statusCode).toBe(401);
      }
    },
  );
});
