import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { OpenApiDocument, Operation, Schema } from './operation';
import type { RawAnswer } from './raw-call';

const PROBLEM = 'application/problem+json';
const PROBLEM_SCHEMA: Schema = { $ref: '#/components/schemas/Problem' };

/** Compares answers with the OpenAPI document, strictly: what it does not name may not be there. */
export class AnswerCheck {
  readonly #ajv = new Ajv({ strict: false, allErrors: false, discriminator: false });
  readonly #validators = new Map<Schema, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    addFormats(this.#ajv);
    for (const [name, schema] of Object.entries(document.components.schemas))
      this.#ajv.addSchema(strict(schema) as object, `#/components/schemas/${name}`);
  }

  /** What is wrong with an answer; null: nothing. `isStray`: the path need not be that of the operation. */
  problem(operation: Operation, answer: RawAnswer, isStray: boolean): string | null {
    const { status, type } = answer;
    if (status >= 500 && !isTold(answer)) return `answers ${status}`;
    if (status >= 400 && type !== PROBLEM) return `answers ${status} with ${type || 'no content type'}`;
    const body = bodyOf(answer);
    if (body === undefined) return `answers ${status} with what is no JSON`;
    if (type === PROBLEM) {
      const wrong = this.mismatch(PROBLEM_SCHEMA, body) ?? aboutFields(body as ProblemBody);
      if (wrong) return `answers ${status} with a problem that ${wrong}`;
      if ((body as ProblemBody).status !== status) return `answers ${status} with the problem of another status`;
    }
    if (isStray || operation.responses === null) return null;
    const described = operation.responses[String(status)];
    if (!described) return `answers ${status}, which is not described`;
    if (answer.text === '' || type === 'text/event-stream') return null;
    const schema = described[type];
    if (schema === undefined) return `answers ${status} with ${type || 'no content type'}, which is not described`;
    const wrong = schema && this.mismatch(schema, body);
    return wrong ? `answers ${status} otherwise than described: ${wrong}` : null;
  }

  private mismatch(schema: Schema, body: unknown): string | null {
    let validate = this.#validators.get(schema);
    if (!validate) {
      validate = this.#ajv.compile(strict(schema) as object);
      this.#validators.set(schema, validate);
    }
    if (validate(body)) return null;
    const [error] = validate.errors ?? [];
    return `${error?.instancePath || 'it'} ${error?.message} ${JSON.stringify(error?.params)}`;
  }
}

/**
 * What is meant: a caller waited, and what it waited for failed; or requests come faster than the provider's limit of a
 * minute, and waiting for that is said.
 */
function isTold({ status, text, type }: RawAnswer): boolean {
  if (type !== PROBLEM) return false;
  const { code, detail } = JSON.parse(text) as ProblemBody;
  if (status === 503) return code === 'provider-unavailable' && detail.includes('too many requests within a minute');
  return status === 502 && code === 'provisioning-failed';
}

interface ProblemBody {
  status: number;
  detail: string;
  code: string;
  errors?: { field: string; message: string }[];
}

function aboutFields({ code, errors }: ProblemBody): string | null {
  if (code !== 'validation-failed') return null;
  return errors?.length && errors.every(({ field, message }) => field && message) ? null : 'names no field';
}

function bodyOf({ text, type }: RawAnswer): unknown {
  if (text === '' || !/json/.test(type)) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** OpenAPI 3.0 as JSON schema: `nullable` in full, and no members that are not named. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, example: _example, ...schema } = node as Schema;
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    key === 'properties' ? each(value) : strict(value),
  ]);
  const made = Object.fromEntries(entries) as Schema;
  if (made.properties && made.additionalProperties === undefined) made.additionalProperties = false;
  return nullable ? { anyOf: [{ type: 'null' }, made] } : made;
}

/** Names of fields are no keywords. */
function each(properties: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties as object).map(([name, schema]) => [name, strict(schema)]));
}
