import * as fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import type { Operation } from './operation';
import { hostileText, hostileValue, type SchemaValues } from './schema-values';

export interface Body {
  bytes: Buffer | null;
  headers: Record<string, string>;
}

type Fields = Record<string, unknown>;
const JSON_TYPE = { 'content-type': 'application/json' };
const NO_BODY: Body = { bytes: null, headers: {} };

/** Bodies of an operation: sound ones, some with a few wrong fields, some that are no JSON document of ours at all. */
export function bodies({ body, method }: Operation, values: SchemaValues): fc.Arbitrary<Body> {
  const noise = fc.oneof(
    { weight: 8, arbitrary: hostileValue.map((value) => json(JSON.stringify(value))) },
    {
      weight: 4,
      arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ ...json(''), bytes: Buffer.from(bytes) })),
    },
    { weight: 4, arbitrary: fc.constant(json('')) },
    { weight: 1, arbitrary: fc.constant(json(`"${'x'.repeat(2_200_000)}"`)) },
    { weight: 2, arbitrary: fc.integer({ min: 2, max: 5_000 }).map((depth) => json('{"a":'.repeat(depth))) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom('\\"', '"', '\\', '{', ',"', '":'),
          fc.constantFrom('', '{"', '{"a":"'),
          fc.integer({ min: 1, max: 60_000 }),
        )
        .map(([part, start, count]) => json(start + part.repeat(count))),
    },
    { weight: 2, arbitrary: fc.constant(NO_BODY) },
  );
  if (method === 'GET') return fc.constant(NO_BODY);
  if (!body) return fc.oneof({ weight: 9, arbitrary: fc.constant(NO_BODY) }, noise);
  const sound = values.sound(body) as fc.Arbitrary<Fields>;
  const texts = fc.oneof(
    { weight: 6, arbitrary: sound },
    { weight: 6, arbitrary: fc.tuple(sound, fc.array(change, { minLength: 1, maxLength: 2 })).map(changed) },
  );
  return fc.oneof(
    { weight: 16, arbitrary: texts.map((fields) => json(JSON.stringify(fields))) },
    {
      weight: 2,
      arbitrary: fc.tuple(texts, fc.constantFrom(...DISGUISES)).map(([fields, disguise]) => disguise(fields)),
    },
    { weight: 1, arbitrary: noise },
  );
}

const json = (text: string): Body => ({ bytes: Buffer.from(text), headers: JSON_TYPE });

interface Change {
  kind: 'set' | 'drop' | 'add' | 'wrap';
  which: number;
  name: string;
  value: unknown;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change['kind']>('set', 'set', 'set', 'set', 'drop', 'add', 'wrap'),
  which: fc.nat({ max: 1_000 }),
  name: fc.oneof(hostileText, fc.constantFrom('unknown', 'constructor', 'hasOwnProperty', '__proto__', 'id', 'owner')),
  value: hostileValue,
});

function changed([fields, changes]: [Fields, Change[]]): Fields {
  const made = { ...fields };
  for (const { kind, which, name, value } of changes) {
    const names = Object.keys(made);
    const old = names[which % Math.max(names.length, 1)];
    if (kind === 'add' || old === undefined)
      Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
    else if (kind === 'drop') delete made[old];
    else made[old] = kind === 'wrap' ? [made[old]] : value;
  }
  return made;
}

/** The same document, in a way that it must not be sent. */
const DISGUISES: ((fields: Fields) => Body)[] = [
  (fields) => {
    const text = JSON.stringify(fields);
    return json(text === '{}' ? '{"a":1,"a":2}' : `{${text.slice(1, -1)},${text.slice(1, -1)}}`);
  },
  (fields) => json(JSON.stringify(fields).slice(0, -1)),
  (fields) => json(`[${JSON.stringify(fields)}]`),
  (fields) => json(`\ufeff${JSON.stringify(fields)}`),
  (fields) => json(`${JSON.stringify(fields)}\0`),
  (fields) => json(`{"__proto__":${JSON.stringify(fields)}}`),
  (fields) => json(`{"constructor":{"prototype":${JSON.stringify(fields)}}}`),
  (fields) => ({ bytes: Buffer.from(JSON.stringify(fields), 'utf16le'), headers: JSON_TYPE }),
  (fields) => ({ bytes: Buffer.from(JSON.stringify(fields), 'latin1'), headers: JSON_TYPE }),
  (fields) => ({
    bytes: gzipSync(JSON.stringify(fields)),
    headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
  }),
  (fields) => ({ ...json(JSON.stringify(fields)), headers: { 'content-type': 'text/plain' } }),
  (fields) => ({ ...json(JSON.stringify(fields)), headers: {} }),
  (fields) => ({
    bytes: Buffer.from(
      new URLSearchParams(Object.fromEntries(Object.keys(fields).map((name) => [name, 'x']))).toString(),
    ),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
];
