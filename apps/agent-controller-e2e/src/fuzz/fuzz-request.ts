import * as fc from 'fast-check';
import { bodies } from './body-bytes';
import { HEADER_TRICKS, PATH_TRICKS, QUERY_TRICKS } from './hostile-values';
import type { Operation, Parameter } from './operation';
import type { RawCall } from './raw-call';
import { hostileText, type SchemaValues } from './schema-values';

/** `server`: one of those that were ordered, with its own token. */
export const CALLERS = ['admin', 'alice', 'bob', 'viewer', 'nobody', 'stranger', 'server'] as const;
export type Caller = (typeof CALLERS)[number];

/** Stands for something that exists by then: which one is looked up when it is sent. */
interface Known {
  index: number;
  isUpperCase: boolean;
}
type Part = string | Known;

/** A request that can be sent as soon as it is known what exists. */
export interface FuzzRequest {
  operation: Operation;
  caller: Caller;
  call: Omit<RawCall, 'path'>;
  parts: Record<string, Part>;
  query: string;
  /** What is done to the whole path. */
  bend: (path: string) => string;
  /** It need not reach the operation. */
  isStray: boolean;
}

const BENDS: ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => path.replace('/api/', '//api/'),
  (path) => path.replace('/api/', '/api//'),
  (path) => path.replace('/api/', '/API/'),
  (path) => path.replace('/api/', '/api/../api/'),
  (path) => path.replace('/api/', '/api/.%2e/api/'),
  (path) => path.replace('/api/', '/%61pi/'),
  (path) => path.replace('/api/', '/api%2f'),
  (path) => `${path}%00`,
  (path) => `${path};x=1`,
  (path) => `${path}.json`,
  (path) => `http://evil.example${path}`,
  (path) => path.slice(1),
  () => '*',
];
const METHODS = ['PUT', 'OPTIONS', 'TRACE', 'HEAD', 'GET', 'POST', 'PATCH', 'DELETE', 'PROPFIND'];
const PEOPLE: Caller[] = ['admin', 'admin', 'admin', 'admin', 'alice', 'alice', 'bob', 'viewer', 'nobody', 'stranger'];
const SERVERS: Caller[] = ['server', 'server', 'server', 'admin', 'nobody', 'stranger'];
export const OF_SERVERS = '/api/provisioning/';
const asIs = (path: string) => path;

/** Random requests of all operations. */
export function fuzzRequests(operations: Operation[], values: SchemaValues): fc.Arbitrary<FuzzRequest> {
  // What is deleted at once is not there to be asked for.
  return fc.oneof(
    ...operations.map((operation) => ({
      weight: operation.method === 'DELETE' ? 1 : 2,
      arbitrary: requestOf(operation, values),
    })),
  );
}

function requestOf(operation: Operation, values: SchemaValues): fc.Arbitrary<FuzzRequest> {
  const stray = fc.oneof(
    { weight: 30, arbitrary: fc.constant({ bend: asIs, method: operation.method, isStray: false }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...BENDS).map((bend) => ({ bend, method: operation.method, isStray: true })),
    },
    { weight: 1, arbitrary: fc.constantFrom(...METHODS).map((method) => ({ bend: asIs, method, isStray: true })) },
  );
  return fc
    .record({
      stray,
      caller: fc.constantFrom<Caller>(...(operation.name.includes(OF_SERVERS) ? SERVERS : PEOPLE)),
      parts: fc.record(byName(operation, 'path', () => pathPart)),
      query: query(operation, values),
      headers: headers(operation),
      body: bodies(operation, values),
    })
    .map(({ stray: { bend, method, isStray }, caller, parts, query, headers, body }) => ({
      ...{ operation, caller, parts, query, bend, isStray },
      call: { method, headers: { ...body.headers, ...headers }, body: body.bytes },
    }));
}

function byName<T>(
  { parameters }: Operation,
  place: Parameter['in'],
  make: (parameter: Parameter) => fc.Arbitrary<T>,
): Record<string, fc.Arbitrary<T>> {
  const own = parameters.filter((parameter) => parameter.in === place);
  return Object.fromEntries(own.map((parameter) => [parameter.name, make(parameter)]));
}

const known: fc.Arbitrary<Known> = fc.record({
  index: fc.nat({ max: 1_000 }),
  isUpperCase: fc.integer({ max: 9, min: 0 }).map((number) => number === 0),
});
/** Others cannot be in a URL. */
const wellFormed = hostileText.filter((text) => !/\p{Surrogate}/u.test(text));
const pathPart: fc.Arbitrary<Part> = fc.oneof(
  { weight: 12, arbitrary: known as fc.Arbitrary<Part> },
  { weight: 2, arbitrary: fc.uuid() as fc.Arbitrary<Part> },
  { weight: 4, arbitrary: fc.constantFrom<Part>(...PATH_TRICKS) },
  {
    weight: 1,
    arbitrary: wellFormed.map((text) => encodeURIComponent(text).slice(0, 6_000) || '%20'),
  },
);

function query(operation: Operation, values: SchemaValues): fc.Arbitrary<string> {
  const own = byName(operation, 'query', ({ name, schema }) =>
    fc.oneof(
      { weight: 9, arbitrary: values.sound(schema ?? {}, name).map(String) },
      { weight: 1, arbitrary: wellFormed.filter((text) => text.length < 2_000) },
    ),
  );
  const sound = fc
    .record(own, { requiredKeys: [] })
    .map((given) => new URLSearchParams(given as Record<string, string>).toString());
  return fc.oneof(
    { weight: 10, arbitrary: sound },
    { weight: Object.keys(own).length > 0 ? 5 : 1, arbitrary: fc.constantFrom(...QUERY_TRICKS) },
  );
}

/** Short waits only: who waits sends nothing else. */
const SOUND_HEADERS: Record<string, fc.Arbitrary<string>> = {
  Prefer: fc.constantFrom('wait=0', 'wait=1', 'respond-async'),
  'Idempotency-Key': fc.integer({ min: 0, max: 30 }).map((number) => `key-${number}`),
  'Last-Event-ID': fc.integer({ min: 0, max: 9 }).map(String),
};

function headers(operation: Operation): fc.Arbitrary<Record<string, string>> {
  const own = byName(operation, 'header', ({ name }) => SOUND_HEADERS[name] ?? fc.constantFrom('x', '1'));
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(own, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>> },
    { weight: 1, arbitrary: fc.constantFrom(...HEADER_TRICKS) },
  );
}

/** What exists, by kind. */
export type Existing = Record<'client' | 'provisioned' | 'server' | 'provisioning', string[]>;

/** The path as it is sent. */
export function pathOf({ operation, parts, query, bend }: FuzzRequest, existing: Existing): string {
  const filled = operation.name
    .slice(operation.method.length + 1)
    .replace(/\{(\w+)\}/g, (_all, name: string) => text(name, parts[name] ?? '', kindOf(operation, name), existing));
  return bend(filled) + (query === '' ? '' : `?${query}`);
}

function kindOf({ name }: Operation, parameter: string): keyof Existing {
  if (parameter === 'serverId') return 'server';
  if (name.includes(OF_SERVERS)) return 'provisioning';
  return name.includes('}/provisioning') ? 'provisioned' : 'client';
}

function text(name: string, part: Part, kind: keyof Existing, existing: Existing): string {
  if (typeof part === 'string') return part;
  if (name === 'providerType') return part.index % 10 === 0 ? 'digital-ocean' : 'hetzner';
  const ids = existing[kind];
  const id = ids[part.index % Math.max(ids.length, 1)] ?? '4711';
  return part.isUpperCase ? id.toUpperCase() : id;
}
