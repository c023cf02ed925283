import { dump } from 'js-yaml';

/** Serialises objects as YAML. Strings are always quoted, so that no reader takes one for a number or a boolean. */
export function yamlDocument(value: object): string {
  return dump(value, { lineWidth: -1, noRefs: true, quoteStyle: 'double', forceQuotes: true });
}
