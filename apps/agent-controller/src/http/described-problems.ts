import type { OpenAPIObject } from '@nestjs/swagger';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['get']>;

const METHODS = ['get', 'post', 'patch', 'delete', 'put'] as const;
const ASKS_PROVIDER = /provisioning\/(providers\/|orphans\/|preview)/;
const CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', example: 'urn:agent-controller:problem:validation-failed' },
    title: { type: 'string', example: 'Bad Request' },
    status: { type: 'integer', example: 400 },
    code: { type: 'string', description: 'Stable: branch on it.', example: 'validation-failed' },
    detail: { type: 'string', example: 'The request is not valid. See: name.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string', example: 'name' }, message: { type: 'string', example: 'is required' } },
      },
    },
    requestId: { type: 'string', format: 'uuid', description: 'Absent where there was no HTTP request to speak of.' },
  },
  // Such as `alternatives`, `clientId`, `neededRole`.
  additionalProperties: true,
};

/** Adds to each operation the errors that its form makes possible; those of its own are declared beside it. */
export function describeProblems(document: OpenAPIObject): OpenAPIObject {
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Problem: PROBLEM_SCHEMA };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) describe(operation, method, path);
    }
  }
  return document;
}

function describe(operation: Operation, method: string, path: string): void {
  const takes = operation.parameters?.length || method !== 'get';
  const problems: Record<string, string | false> = {
    400: takes ? 'Not valid; `errors` names the fields' : false,
    401: operation.security ? 'No key or token, or a wrong one' : false,
    403: operation.security ? 'Needs another role' : false,
    404: path.includes('{') ? 'There is none, or none of yours' : false,
    413: method !== 'get' ? 'The body is too large' : false,
    415: method !== 'get' ? 'The body is not `application/json` in UTF-8' : false,
    429: operation.security ? 'Too many requests; see `Retry-After`' : false,
    502: ASKS_PROVIDER.test(path) ? 'The provider refused what was asked for this call' : false,
    503: 'The database, or a provider that must be asked, is away; see `Retry-After`',
  };
  for (const [status, description] of Object.entries(problems)) {
    if (description) operation.responses[status] ??= { description };
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    if (Number(status) >= 400 && response && !('$ref' in response)) response.content ??= CONTENT;
  }
}
