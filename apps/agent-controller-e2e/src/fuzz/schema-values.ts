import * as fc from 'fast-check';
import { BROKEN_TEXTS, TRICKY_TEXTS, VALUES_BY_TYPE } from './hostile-values';
import { resolved, type OpenApiDocument, type Schema } from './operation';

/** Optional fields that one body has at most: with all at once none would be valid. */
const MAX_OPTIONAL = 3;

/** What makes sense to this installation, by the field's name. A field that is not here is made from its schema. */
const SENSIBLE: Record<string, unknown[]> = {
  providerType: ['hetzner', 'hetzner', 'digital-ocean'],
  serverType: ['cx33', 'cx33', 'cx23', 's-2vcpu-4gb'],
  location: ['nbg1', 'nbg1', 'hel1', 'fra1'],
  image: ['debian-13', 'debian-13-x64', 'ubuntu-24.04', '4711'],
  authenticationType: ['api_key', 'api_key', 'api_key', 'keycloak'],
  apiKey: ['a-long-random-key'],
  keycloakRealm: ['e2e'],
  keycloakClientId: ['agent-manager'],
  keycloakClientSecret: ['client-secret'],
  gitRepositoryUrl: ['https://git.example.com/team/project.git', 'git@git.example.com:team/project.git'],
  owner: ['api-key:alice', 'api-key:bob', 'static'],
  subject: ['api-key:alice', 'nobody'],
  since: ['2026-01-01T00:00:00Z', '2026-01-01'],
};

export const hostileText = fc.oneof(
  fc.constantFrom(...Object.values(TRICKY_TEXTS), ...Object.values(BROKEN_TEXTS)),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 4, arbitrary: fc.constantFrom(...Object.values(VALUES_BY_TYPE).flat()) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
);

/** Values that a schema allows, or nearly so. */
export class SchemaValues {
  constructor(private readonly document: OpenApiDocument) {}

  sound(given: Schema, name = ''): fc.Arbitrary<unknown> {
    const schema = resolved(given, this.document);
    // Few of them: names that are taken are met as well.
    if (name === 'name') return fc.integer({ min: 0, max: 40 }).map((number) => `fuzz-${number}`);
    if (SENSIBLE[name]) return fc.constantFrom(...SENSIBLE[name]);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const known = [schema.example, schema.default].filter((value) => value !== undefined);
    const made = this.byType(schema);
    return known.length === 0 ? made : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, made);
  }

  private byType(schema: Schema): fc.Arbitrary<unknown> {
    const { type, minimum = 0, maximum = 70_000 } = schema as Schema & { minimum?: number; maximum?: number };
    if (type === 'boolean') return fc.boolean();
    if (type === 'number' || type === 'integer') return fc.integer({ min: minimum, max: maximum });
    if (type === 'array') return fc.array(this.sound(schema.items ?? {}), { maxLength: 3 });
    if (schema.properties) return this.object(schema);
    if (type === 'object') return this.map(schema.additionalProperties);
    return fc.string({ minLength: 1, maxLength: 20 });
  }

  private object({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
    const optional = Object.keys(properties).filter((name) => !required.includes(name));
    return fc
      .subarray(optional, { maxLength: Math.min(MAX_OPTIONAL, optional.length) })
      .chain((names) =>
        fc.record(
          Object.fromEntries([...required, ...names].map((name) => [name, this.sound(properties[name] ?? {}, name)])),
        ),
      )
      .map((fields) => ('apiKey' in properties ? credible(fields) : fields));
  }

  private map(values: Schema['additionalProperties']): fc.Arbitrary<Record<string, unknown>> {
    const value = typeof values === 'object' ? this.sound(values) : fc.string();
    return fc.dictionary(fc.constantFrom('A', 'GIT_COMMIT_AUTHOR_NAME', 'B_2'), value, { maxKeys: 3 });
  }
}

const OF_KIND: Record<string, Record<string, string>> = {
  api_key: { apiKey: 'a-long-random-key' },
  keycloak: {
    ...{ keycloakClientId: 'agent-manager', keycloakClientSecret: 'client-secret', keycloakRealm: 'e2e' },
    keycloakAuthServerUrl: 'https://login.example.com',
  },
};

/** With the credentials of its own kind, and none of the other: by chance that would be rare. */
function credible(fields: Record<string, unknown>): Record<string, unknown> {
  const own = OF_KIND[String(fields['authenticationType'])];
  if (!own) return fields;
  const others = Object.values(OF_KIND).flatMap((kind) => Object.keys(kind));
  return { ...Object.fromEntries(Object.entries(fields).filter(([name]) => !others.includes(name))), ...own };
}
