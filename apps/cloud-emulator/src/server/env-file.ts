import { interpolate } from './interpolation';
import { RefusedError } from './refused.error';

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$/s;

/**
 * Reads an env file as Compose does: single quotes are literal, double quotes know escapes, and both of the others are
 * interpolated. Quoted values may span lines.
 */
export function readEnvFile(text: string, outer: Readonly<Record<string, string>>): Record<string, string> {
  const variables: Record<string, string> = {};
  const scope = () => ({ ...outer, ...variables });
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\n');
    const line = end < 0 ? rest : rest.slice(0, end);
    if (/^\s*(#|$)/.test(line)) {
      rest = end < 0 ? '' : rest.slice(end + 1);
      continue;
    }
    const match = LINE.exec(rest);
    if (!match) throw new RefusedError(`Compose: a line of an env file is not NAME=VALUE`);
    const [, name = '', value = ''] = match;
    const quote = value[0];
    if (quote === "'" || quote === '"') {
      const closing = closingQuote(value, quote);
      const inner = value.slice(1, closing);
      variables[name] = quote === "'" ? inner : interpolate(unescape(inner), scope());
      rest = value.slice(closing + 1).replace(/^[^\n]*\n?/, '');
    } else {
      const [raw = ''] = value.split('\n');
      variables[name] = interpolate(raw.replace(/\s+#.*$/, '').trim(), scope());
      rest = value.slice(raw.length + 1);
    }
  }
  return variables;
}

/** `format: raw`: everything after the first equals sign. */
export function readRawEnvFile(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function closingQuote(value: string, quote: string): number {
  for (let index = 1; index < value.length; index++) {
    if (quote === '"' && value[index] === '\\') index++;
    else if (value[index] === quote) return index;
  }
  throw new RefusedError('Compose: an env file has a quote that is not closed');
}

function unescape(text: string): string {
  const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$$' };
  return text.replace(/\\(.)/gs, (token, character: string) => escapes[character] ?? token);
}
