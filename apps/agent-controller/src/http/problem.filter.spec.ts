import {
  AppError,
  ERROR_STATUS,
  placeIn,
  SEALED_COLUMNS,
  SealedValueError,
  type ErrorCode,
  type Logger,
} from '@agent-controller/kernel';
import { HttpException, NotFoundException } from '@nestjs/common';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ProblemFilter } from './problem.filter';

const SECRET = 'Sup3rS3cret';

describe('ProblemFilter', () => {
  let app: FastifyInstance;
  let toThrow: unknown;
  let logged: object[];

  beforeEach(() => {
    logged = [];
    const ignore = () => undefined;
    const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (fields) => logged.push(fields) };
    const filter = new ProblemFilter(logger);
    const send = (error: unknown, request: FastifyRequest, reply: FastifyReply) => filter.send(error, request, reply);
    app = fastify({ genReqId: () => 'request-1', bodyLimit: 100, frameworkErrors: send });
    app.setErrorHandler((error, request, reply) => send(error, request, reply));
    app.get('/throw', (request, reply) => send(toThrow, request, reply));
    app.get('/clients/:id', async () => 'ok');
    app.post('/clients', async () => 'ok');
  });
  afterEach(() => app.close());

  async function answer(error: unknown) {
    toThrow = error;
    const response = await app.inject('/throw');
    return { status: response.statusCode, headers: response.headers, body: response.json(), text: response.body };
  }

  it.each(Object.entries(ERROR_STATUS))('answers %s with %i', async (code, status) => {
    const { status: sent, headers, body } = await answer(new AppError(code as ErrorCode, 'What happened.'));
    expect(sent).toBe(status);
    expect(headers['content-type']).toMatch('application/problem+json');
    expect(body).toEqual({
      type: `urn:agent-controller:problem:${code}`,
      title: expect.stringMatching(/\w/),
      status,
      code,
      detail: 'What happened.',
      requestId: 'request-1',
    });
    expect(logged).toEqual([]);
  });

  it('says of stored secrets that cannot be opened nothing but an id; the log has where', async () => {
    const place = placeIn(SEALED_COLUMNS[1], 'row-1');
    const { status, text } = await answer(new SealedValueError('not-authentic', place, '1a2b3c4d'));
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'internal-error', requestId: 'request-1' });
    expect(text).not.toMatch(/row-1|sealed|1a2b3c4d|clients/);
    expect(logged).toMatchObject([{ err: { message: expect.stringContaining('of row row-1 does not open') } }]);
  });

  it('passes on fields, extensions, where to look and when to come back', async () => {
    const { headers, body } = await answer(
      new AppError('provisioning-failed', 'It failed.', {
        errors: [{ field: 'name', message: 'is wrong' }],
        extensions: { clientId: 'c', location: '/api/clients/c/provisioning/info' },
        retryAfterSeconds: 7,
        cause: new Error(SECRET),
      }),
    );
    expect(body).toMatchObject({ errors: [{ field: 'name', message: 'is wrong' }], clientId: 'c' });
    expect(headers).toMatchObject({ location: '/api/clients/c/provisioning/info', 'retry-after': '7' });
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  it.each([
    ['an error', new Error(SECRET)],
    [
      'an error with a request in it',
      Object.assign(new Error('x'), { config: { headers: { Authorization: SECRET } } }),
    ],
    ['an HTTP error of no known status', new HttpException(SECRET, 418)],
    ['text', SECRET],
    ['nothing', undefined],
    ['null', null],
  ])('tells nothing of %s that nobody expected, but logs it', async (_what, error) => {
    const { status, body, text } = await answer(error);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'internal-error', requestId: 'request-1' });
    expect(Object.keys(body).sort()).toEqual(['code', 'detail', 'requestId', 'status', 'title', 'type']);
    expect(text).not.toContain(SECRET);
    expect(text).not.toMatch(/at .*\.ts/);
    expect(logged).toEqual([{ err: error, requestId: 'request-1', path: '/throw' }]);
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', '57P01', '57P03', '53300'])(
    'says that the database is away at %s, and when to come back',
    async (code) => {
      const { status, headers, body } = await answer(Object.assign(new Error(SECRET), { code }));
      expect([status, headers['retry-after'], body.code]).toEqual([503, '5', 'service-unavailable']);
      expect(body.detail).not.toContain(SECRET);
    },
  );

  it('knows the errors of Nest', async () => {
    const { status, body } = await answer(new NotFoundException(SECRET));
    expect([status, body.code]).toEqual([404, 'not-found']);
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  const json = { 'content-type': 'application/json' };
  it.each([
    ['a broken body', { payload: `{"${SECRET}`, headers: json }, 400, 'malformed-body'],
    ['a long body', { payload: JSON.stringify(SECRET.repeat(20)), headers: json }, 413, 'payload-too-large'],
    ['an unknown kind of body', { payload: 'a=b', headers: { 'content-type': 'x/y' } }, 415, 'unsupported-media-type'],
    ['a broken path', { url: '/clients/%', method: 'GET' as const }, 400, 'malformed-request'],
    ['an endless id', { url: `/clients/${'x'.repeat(101)}`, method: 'GET' as const }, 404, 'not-found'],
  ])("knows Fastify's error of %s", async (_what, request, status, code) => {
    const response = await app.inject({ url: '/clients', method: 'POST', ...request });
    expect(response.headers['content-type']).toMatch('application/problem+json');
    expect(response.json()).toMatchObject({ status, code });
    expect(response.statusCode).toBe(status);
    expect(response.body).not.toContain(SECRET);
    expect(logged).toEqual([]);
  });
});
