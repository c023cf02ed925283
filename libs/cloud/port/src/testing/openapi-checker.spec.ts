import { OpenapiChecker, type OpenapiDescription } from './openapi-checker';
import type { HttpExchange } from './recording-proxy';

const content = (schema: unknown) => ({ content: { 'application/json': { schema } } });
const thing = {
  type: 'object',
  required: ['id', 'kind'],
  properties: {
    id: { type: 'integer', format: 'int64' },
    kind: { type: 'string', enum: ['a'], nullable: true },
    // A reference into another operation, and a nullable without type.
    owner: { nullable: true, allOf: [{ $ref: '#/components/schemas/owner' }] },
  },
};
const description: OpenapiDescription = {
  paths: {
    '/v2/things': {
      post: { requestBody: content({ type: 'object', required: ['name'] }), responses: { 201: content(thing) } },
    },
    '/v2/things/{id}': {
      get: {
        parameters: [{ $ref: '#/components/parameters/page' }],
        responses: {
          200: content({ $ref: '#/paths/~1v2~1things/post/responses/201/content/application~1json/schema' }),
          '4XX': content({ type: 'object', required: ['error'] }),
        },
      },
      delete: { responses: { 204: { description: 'gone' } } },
    },
  },
  components: {
    schemas: { owner: { type: 'object', required: ['name'] } },
    ...{ parameters: { page: { in: 'query', name: 'page', schema: { type: 'integer' } } } },
  },
};

describe('OpenapiChecker', () => {
  const checker = new OpenapiChecker(description, '/api');
  const exchange = (more: Partial<HttpExchange>): HttpExchange => ({
    method: 'GET',
    path: '/api/v2/things/1',
    query: {},
    requestBody: undefined,
    status: 200,
    responseBody: { id: 1, kind: 'a' },
    ...more,
  });

  it.each<[string, Partial<HttpExchange>]>([
    ['an answer by reference', {}],
    ['null where it may be', { responseBody: { id: 1, kind: null, owner: null } }],
    ['a query parameter', { query: { page: '2' } }],
    ['an error', { status: 404, responseBody: { error: {} } }],
    ['no body', { method: 'DELETE', status: 204, responseBody: undefined }],
    ['a request body', { method: 'POST', path: '/api/v2/things', status: 201, requestBody: { name: 'x' } }],
  ])('accepts %s', (_, more) => {
    expect(checker.check(exchange(more))).toEqual([]);
  });

  it.each<[string, Partial<HttpExchange>, string]>([
    ['an unknown path', { path: '/api/v2/other' }, 'not described'],
    ['an unknown method', { method: 'PUT' }, 'not described'],
    ['a missing property', { responseBody: { id: 1 } }, "must have required property 'kind'"],
    ['a wrong type', { responseBody: { id: '1', kind: 'a' } }, 'must be integer'],
    ['null where it may not be', { responseBody: { id: null, kind: 'a' } }, 'must be integer'],
    ['a wrong object behind a reference', { responseBody: { id: 1, kind: 'a', owner: {} } }, "'name'"],
    ['an unknown status', { status: 302 }, 'status 302'],
    ['an unknown parameter', { query: { sort: 'x' } }, 'parameter sort'],
    ['a wrong parameter', { query: { page: 'x' } }, 'parameter page'],
    ['a body where none belongs', { method: 'DELETE', status: 204 }, 'should have none'],
    ['no body where one belongs', { responseBody: undefined }, 'must be object'],
    [
      'a wrong request',
      { method: 'POST', path: '/api/v2/things', status: 201, requestBody: {} },
      "must have required property 'name'",
    ],
  ])('refuses %s', (_, more, words) => {
    expect(checker.check(exchange(more)).join()).toContain(words);
  });
});
