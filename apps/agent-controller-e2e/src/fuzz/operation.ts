import type { Role } from '@agent-controller/kernel';

/** A JSON schema, as far as OpenAPI 3.0 uses it. */
export interface Schema {
  $ref?: string;
  type?: string;
  nullable?: boolean;
  enum?: unknown[];
  example?: unknown;
  default?: unknown;
  format?: string;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  allOf?: Schema[];
  [keyword: string]: unknown;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema?: Schema;
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, DescribedOperation>>;
  components: { schemas: Record<string, Schema> };
}

interface DescribedOperation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}

/** A route as the controller registered it. */
export interface RegisteredRoute {
  method: string;
  url: string;
  role: Role | 'public';
  changes?: boolean;
}

/** A route with what the OpenAPI document says of it. */
export interface Operation extends RegisteredRoute {
  /** As `POST /api/clients/{id}`. */
  name: string;
  parameters: Parameter[];
  /** Of the JSON body. */
  body: Schema | null;
  /** By status and media type; null where the document does not describe the route. */
  responses: Record<string, Record<string, Schema | null>> | null;
}

const text = { type: 'string', example: 'text' };
const time = { type: 'string', format: 'date-time', enum: ['2026-11-25T12:00:00.000Z'] };
const stage = { type: 'string', enum: ['docker'] };
const number = { type: 'integer', minimum: 1, maximum: 300 };

/** As `server-report.ts` reads it. */
const REPORT: Schema = {
  type: 'object',
  required: ['version', 'seq', 'state', 'stage', 'since', 'startedAt', 'stages', 'error'],
  properties: {
    version: { type: 'integer', enum: [1] },
    seq: { type: 'integer', minimum: 1, maximum: 2_147_483_647 },
    state: { type: 'string', enum: ['running', 'running', 'running', 'finished'] },
    ...{ stage, since: time, startedAt: time },
    stages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'startedAt', 'endedAt'],
        properties: { name: stage, startedAt: time, endedAt: time },
      },
    },
    error: {
      type: 'object',
      nullable: true,
      enum: [null, null, null, { stage: 'docker', cause: 'c', line: 1, exitCode: 1, logTail: ['\ud83d', 'a\0b'] }],
    },
    unknown: text,
  },
};
/** As `redemption-request.ts` reads it. */
const REDEMPTION: Schema = {
  type: 'object',
  required: ['attempt', 'publicKey', 'sentAt', 'signature'],
  properties: {
    attempt: { type: 'integer', enum: [1] },
    publicKey: { type: 'string', example: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE' },
    sentAt: number,
    signature: { type: 'string', example: 'MEUCIQ==' },
  },
};

/** The routes that servers and operators call, which the document leaves out; what is new must be described. */
const UNDESCRIBED: Record<string, Schema | null> = {
  'POST /api/provisioning/callbacks/{id}': REPORT,
  'POST /api/provisioning/bootstrap/{id}': REDEMPTION,
  'GET /metrics': null,
  'GET /api/openapi.json': null,
};
const OF_DOCS = /^\/api\/docs(?:[/-]|$)/;

/** Every route that is registered, with its description. @throws Error for a route that has none */
export function operationsOf(document: OpenApiDocument, routes: RegisteredRoute[]): Operation[] {
  return routes
    .filter(({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && !OF_DOCS.test(url))
    .map((route) => {
      const path = route.url.replace(/(.)\/$/, '$1').replace(/:(\w+)/g, '{$1}');
      const name = `${route.method} ${path}`;
      const described = document.paths[path]?.[route.method.toLowerCase()];
      if (!described && !(name in UNDESCRIBED)) throw new Error(`${name} is not in the OpenAPI document`);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, each = '']) => ({ name: each, in: 'path' as const }));
      return {
        ...route,
        name,
        parameters: described?.parameters ?? inPath,
        body: described ? (described.requestBody?.content['application/json']?.schema ?? null) : UNDESCRIBED[name]!,
        responses: described ? responsesOf(described) : null,
      };
    });
}

function responsesOf({ responses }: DescribedOperation): NonNullable<Operation['responses']> {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { content = {} }]) => [
      status,
      Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema ?? null])),
    ]),
  );
}

/** The routes, as the controller tells them in its log (level debug). */
export function registeredRoutes(log: string): RegisteredRoute[] {
  const line = log.split('\n').find((each) => each.includes('"routes":['));
  return (JSON.parse(line ?? '{"routes":[]}') as { routes: RegisteredRoute[] }).routes;
}

/** The schema that a reference stands for, at the top. */
export function resolved(schema: Schema, document: OpenApiDocument): Schema {
  if (schema.$ref) return resolved(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, document);
  if (schema.allOf?.length === 1) return { ...resolved(schema.allOf[0]!, document), nullable: schema.nullable };
  return schema;
}
