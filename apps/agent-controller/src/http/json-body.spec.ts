import fastify, { type FastifyInstance } from 'fastify';
import { gzipSync } from 'node:zlib';
import { acceptJson } from './json-body';
import { ProblemFilter } from './problem.filter';

const TEXT = { a: 'ä😀\u202e', b: [1, null] };

describe('acceptJson', () => {
  let app: FastifyInstance;

  beforeEach(() => {
    const ignore = () => undefined;
    const filter = new ProblemFilter({ debug: ignore, info: ignore, warn: ignore, error: ignore });
    app = fastify();
    app.setErrorHandler((error, request, reply) => filter.send(error, request, reply));
    acceptJson(app);
    app.post('/', async ({ body }) => ({ body: body ?? null }));
  });
  afterEach(() => app.close());

  const send = async (payload: string | Buffer, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      ...{ method: 'POST', url: '/', payload },
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };

  it.each([
    ['as it is', JSON.stringify(TEXT), {}],
    ['in UTF-8, said', JSON.stringify(TEXT), { 'content-type': 'application/json; charset=UTF-8' }],
    ['not compressed, said', JSON.stringify(TEXT), { 'content-encoding': 'identity' }],
  ])('takes JSON %s, unchanged', async (_what, payload, headers) => {
    expect(await send(payload, headers)).toEqual({ status: 200, body: { body: TEXT } });
  });

  it('takes no body for none', async () => {
    expect(await send('')).toEqual({ status: 200, body: { body: null } });
  });

  const utf16 = Buffer.from(JSON.stringify(TEXT), 'utf16le');
  it.each<[string, string | Buffer, Record<string, string>, number]>([
    ['UTF-16', utf16, { 'content-type': 'application/json; charset=utf-16' }, 415],
    [
      'Latin-1',
      Buffer.from('{"a":"\u00e4"}', 'latin1'),
      { 'content-type': 'application/json;charset="iso-8859-1"' },
      415,
    ],
    ['gzip', gzipSync(JSON.stringify(TEXT)), { 'content-encoding': 'gzip' }, 415],
    ['another type', JSON.stringify(TEXT), { 'content-type': 'text/json' }, 415],
    ['UTF-16 that is not said', utf16, {}, 400],
    ['a byte that is no UTF-8', Buffer.from('{"a":"\u00e4"}', 'latin1'), {}, 400],
    ['an overlong form of a slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), {}, 400],
    ['half of a surrogate pair in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), {}, 400],
    ['a name that is given twice', '{"a":1,"a":2}', {}, 400],
    ['a prototype', '{"__proto__":{"isAdmin":true}}', {}, 400],
    ['half of a document', '{"a":', {}, 400],
    ['100,000 levels', '['.repeat(100_000), {}, 400],
  ])('refuses %s', async (_what, payload, headers, status) => {
    const answer = await send(payload, headers);
    expect(answer.body).toMatchObject({ status, code: status === 415 ? 'unsupported-media-type' : 'malformed-body' });
    expect(answer.status).toBe(status);
  });

  it('names the field', async () => {
    const { body } = await send('{"fallback":[{"location":"a","location":"b"}]}');
    expect(body).toMatchObject({
      detail: 'The request is not well-formed: fallback[0].location is given twice.',
      errors: [{ field: 'fallback[0].location', message: 'is given twice' }],
    });
  });
});
