import { CORE_SCHEMA, YAML11_SCHEMA, load } from 'js-yaml';
import { RefusedError } from './refused.error';

export type Tree = Record<string, unknown>;

/**
 * @param version 1.1 is what cloud-init reads (PyYAML: `yes` is a boolean, `0600` a number), 1.2 what Compose reads
 * @throws RefusedError when the text is no mapping, has a key twice or is no YAML; without quoting it: it holds secrets
 */
export function readYaml(text: string, what: string, version: '1.1' | '1.2'): Tree {
  let document: unknown;
  try {
    document = load(text, { schema: version === '1.1' ? YAML11_SCHEMA : CORE_SCHEMA });
  } catch (error) {
    const [message] = (error as Error).message.split('\n');
    throw new RefusedError(`${what} is not valid YAML: ${message}`);
  }
  return asTree(document, what);
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

export function asTree(value: unknown, what: string): Tree {
  if (!isTree(value)) throw new RefusedError(`${what} is not a mapping`);
  return value;
}
