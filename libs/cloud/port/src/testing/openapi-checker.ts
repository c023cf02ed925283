import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { HttpExchange } from './recording-proxy';

type Json = Record<string, unknown>;

/** Where the world differs from what a provider published, and how its description has to be read therefore. */
export interface KnownDifference {
  why: string;
  correct(description: OpenapiDescription): void;
}

export interface OpenapiDescription {
  paths: Record<string, Record<string, Json>>;
  components: { schemas?: Record<string, Json> };
}

export interface OpenapiSource {
  /** Such as `hetzner.json`. */
  file: string;
  /** What stands before the description's paths in the recorded ones. */
  pathPrefix: string;
  differences: readonly KnownDifference[];
}

// This file's place is libs/cloud/port/src/testing.
const REPOSITORY = resolve(__dirname, '../../../../..');
/** The providers' published descriptions are not part of this repository. */
export const OPENAPI_DIR = resolve(process.env.OPENAPI_DIR ?? join(REPOSITORY, '../shared/openapi'));

const UNCHECKED_FORMATS = ['decimal'];

/** Checks requests and answers against a provider's published OpenAPI 3.0 description. */
export class OpenapiChecker {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, logger: false });
  readonly #queryAjv = new Ajv({ strict: false, coerceTypes: 'array', validateSchema: false, logger: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(
    private readonly description: OpenapiDescription,
    private readonly pathPrefix: string,
  ) {
    const schema = nullsAsTypes(description) as Json;
    for (const ajv of [this.#ajv, this.#queryAjv]) {
      addFormats(ajv);
      for (const format of UNCHECKED_FORMATS) ajv.addFormat(format, true);
      ajv.addSchema(schema, 'api');
    }
  }

  /** Null when the description is not there. */
  static load({ file, pathPrefix, differences }: OpenapiSource): OpenapiChecker | null {
    const path = join(OPENAPI_DIR, file);
    if (!existsSync(path)) return null;
    const description = JSON.parse(readFileSync(path, 'utf8')) as OpenapiDescription;
    for (const difference of differences) difference.correct(description);
    return new OpenapiChecker(description, pathPrefix);
  }

  /** @returns what does not fit, in words; empty when all does */
  check(exchange: HttpExchange): string[] {
    const template = this.templateOf(exchange.path);
    const where = `${exchange.method} ${template ?? exchange.path}`;
    if (!template || !this.description.paths[template]?.[exchange.method.toLowerCase()]) {
      return [`${where}: not described`];
    }
    const pointer = `/paths/${escape(template)}/${exchange.method.toLowerCase()}`;
    const problems = [
      ...this.checkQuery(`${pointer}/parameters`, exchange),
      ...this.checkRequestBody(`${pointer}/requestBody`, exchange),
      ...this.checkAnswer(`${pointer}/responses`, exchange),
    ];
    return problems.map((problem) => `${where}: ${problem}`);
  }

  private templateOf(path: string): string | undefined {
    if (!path.startsWith(this.pathPrefix)) return undefined;
    const parts = path.slice(this.pathPrefix.length).split('/');
    const fits = (template: string) => {
      const wanted = template.split('/');
      return wanted.length === parts.length && wanted.every((part, i) => part === parts[i] || part.startsWith('{'));
    };
    // A path without parameters is meant before one with.
    return Object.keys(this.description.paths)
      .filter(fits)
      .sort((a, b) => a.split('{').length - b.split('{').length)[0];
  }

  private checkQuery(pointer: string, { query }: HttpExchange): string[] {
    const parameters = new Map<unknown, string>();
    (this.find(pointer) as Json[] | undefined)?.forEach((_, index) => {
      const { target, value } = this.follow(`${pointer}/${index}`);
      if ((value as Json).in === 'query') parameters.set((value as Json).name, target);
    });
    return Object.entries(query).flatMap(([name, value]) => {
      const parameter = parameters.get(name);
      if (!parameter) return [`query parameter ${name} is not described`];
      const schema = { type: 'object', properties: { value: { $ref: `api#${parameter}/schema` } } };
      const valid = this.#queryAjv.validate(schema, { value });
      return valid ? [] : [`query parameter ${name}=${value}: ${inWords(this.#queryAjv.errors)}`];
    });
  }

  private checkRequestBody(pointer: string, { requestBody }: HttpExchange): string[] {
    if (requestBody === undefined) return [];
    if (!this.find(pointer)) return ['a request body is not described'];
    return this.validate(`${this.follow(pointer).target}/content/application~1json/schema`, requestBody, 'request');
  }

  private checkAnswer(pointer: string, { status, responseBody }: HttpExchange): string[] {
    const described = Object.keys(this.find(pointer) as Json);
    const wanted = [String(status), `${String(status)[0]}xx`, 'default'];
    const key = wanted.map((one) => described.find((name) => name.toLowerCase() === one)).find(Boolean);
    if (!key) return [`status ${status} is not described`];
    const { target, value } = this.follow(`${pointer}/${key}`);
    const hasBody = (value as Json).content !== undefined;
    if (!hasBody) return responseBody === undefined ? [] : [`answer ${status} has a body, and should have none`];
    return this.validate(`${target}/content/application~1json/schema`, responseBody ?? null, `answer ${status}`);
  }

  private validate(pointer: string, value: unknown, what: string): string[] {
    const known = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: `api#${pointer}` });
    this.#validators.set(pointer, known);
    return known(value) ? [] : [`${what}: ${inWords(known.errors)}`];
  }

  private find(pointer: string): unknown {
    const parts = pointer.split('/').slice(1).map(unescape);
    return parts.reduce<unknown>((node, part) => (node as Json | undefined)?.[part], this.description);
  }

  /** Follows a reference, or many, to what it means. */
  private follow(pointer: string): { target: string; value: unknown } {
    const value = this.find(pointer);
    const reference = (value as Json | undefined)?.$ref;
    if (typeof reference !== 'string') return { target: pointer, value };
    return this.follow(decodeURIComponent(reference.slice(1)));
  }
}

/** OpenAPI 3.0 writes `nullable: true` where JSON Schema has `null` as a type. */
function nullsAsTypes(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(nullsAsTypes);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, nullsAsTypes(value)]),
  );
  if (nullable !== true) return nullable === undefined || nullable === false ? rest : { nullable, ...rest };
  if (typeof rest.type !== 'string') return { anyOf: [{ type: 'null' }, rest] };
  return { ...rest, type: [rest.type, 'null'], ...(Array.isArray(rest.enum) && { enum: [...rest.enum, null] }) };
}

function inWords(errors: readonly ErrorObject[] | null | undefined): string {
  return (errors ?? [])
    .slice(0, 5)
    .map(({ instancePath, message, params }) => `${instancePath || 'all'} ${message} ${JSON.stringify(params)}`)
    .join('; ');
}

const escape = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');
const unescape = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');
