import { BROKEN_TEXTS, VALUES_BY_TYPE } from './hostile-values';
import { resolved, type OpenApiDocument, type Schema } from './operation';

/** A field of a body, however deep it is. */
export interface Field {
  /** As errors name it: `fallback[0].location`. */
  path: string;
  schema: Schema;
  /** A body that holds the value there, and besides what is required. */
  put: (value: unknown) => Record<string, unknown>;
}

export function fieldsOf(body: Schema, document: OpenApiDocument): Field[] {
  const { properties = {}, required = [] } = resolved(body, document);
  const base = Object.fromEntries(required.map((name) => [name, example(properties[name] ?? {}, document)]));
  return Object.entries(properties).flatMap(([name, given]) => {
    const schema = resolved(given, document);
    const put = (value: unknown) => ({ ...base, ...companions(name), [name]: value });
    return [{ path: name, schema, put }, ...inner({ path: name, schema, put }, document)];
  });
}

function inner({ path, schema, put }: Field, document: OpenApiDocument): Field[] {
  const items = schema.items && resolved(schema.items, document);
  if (!items?.properties) return [];
  return fieldsOf(items, document).map((field) => ({
    ...{ path: `${path}[0].${field.path}`, schema: field.schema },
    put: (value) => put([field.put(value)]),
  }));
}

/** Of the kind of authentication that the field belongs to: with another one it would be refused for that. */
function companions(name: string): Record<string, unknown> {
  return { authenticationType: name.startsWith('keycloak') ? 'keycloak' : 'api_key' };
}

function example(given: Schema, document: OpenApiDocument): unknown {
  const schema = resolved(given, document);
  return schema.example ?? schema.default ?? schema.enum?.[0] ?? 'x';
}

/** Values that no field of this schema takes. */
export function wrongValues({ type = 'object', additionalProperties, items, nullable }: Schema): unknown[] {
  const own = type === 'integer' ? 'number' : type;
  const others = Object.entries(VALUES_BY_TYPE).flatMap(([kind, values]) => (kind === own ? [] : values));
  const wrong = nullable ? others.filter((value) => value !== null) : others;
  if (own === 'string') return [...wrong, '', ...Object.values(BROKEN_TEXTS)];
  if (own === 'number') return [...wrong, -1, 1.5, 1e308, 2 ** 53];
  if (own === 'array')
    return [...wrong, [null], [5], [[]], [true], ...(items?.type === 'string' ? [[''], ['a\0b']] : [])];
  if (!additionalProperties) return wrong;
  const values = [null, 5, true, [], {}, ...Object.values(BROKEN_TEXTS)];
  const names = ['', '1A', 'a b', 'A=B', 'A\n', 'Ä', '$(id)', 'toString', 'x'.repeat(200)];
  return [...wrong, ...values.map((A) => ({ A })), ...names.map((name) => ({ [name]: 'x' }))];
}
