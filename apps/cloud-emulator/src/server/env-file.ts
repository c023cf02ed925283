import { interpolate, lookUp, type Variables } from './interpolation';
import { RefusedError } from './refused.error';

const KEY = /(?:export\s+)?([\p{L}\p{N}_.[\] \t\v\f\r\u0085\u00a0-]*)([=:\n]|$)/uy;
const SPACES = /[ \t\v\f\r\u0085\u00a0]*/y;
const ESCAPE = /\\(?:([abfnrtv$"\\])|0([0-7]{3}))/g;
const ESCAPED: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  // Still to be interpolated.
  $: '$$',
};

/**
 * Reads an env file by the rules of Compose's package `dotenv`: single-quoted values are literal, double-quoted ones know
 * escapes, and those and bare ones are interpolated. Quoted values may span lines; a name alone is looked up.
 * @param outer wins over the file's own variables
 */
export function readEnvFile(text: string, outer: Variables): Record<string, string> {
  const variables: Record<string, string> = {};
  const rest = text.replace(/^\ufeff/, '');
  let position = statement(rest, 0);
  while (position < rest.length) {
    KEY.lastIndex = position;
    const match = KEY.exec(rest);
    const name = match?.[1]?.trim() ?? '';
    if (!match || name === '' || /\s/.test(name))
      throw new RefusedError('Compose: a line of an env file is not NAME=VALUE');
    position = KEY.lastIndex;
    if (match[2] === '=' || match[2] === ':') {
      const read = value(rest, skip(SPACES, rest, position), { ...variables, ...outer });
      variables[name] = read.value;
      position = read.end;
    } else {
      const inherited = lookUp(outer, name);
      if (inherited !== undefined) variables[name] = inherited;
    }
    position = statement(rest, position);
  }
  return variables;
}

/** `format: raw`, as `docker run --env-file` reads: all behind the first equals sign is the value. */
export function readRawEnvFile(text: string, outer: Variables = {}): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const each of text.replace(/^\ufeff/, '').split('\n')) {
    const line = each.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = equals < 0 ? line : line.slice(0, equals);
    if (name === '' || /[ \t]/.test(name))
      throw new RefusedError('Compose: a line of a raw env file has no valid name');
    const found = equals < 0 ? lookUp(outer, name) : line.slice(equals + 1);
    if (found !== undefined) variables[name] = found;
  }
  return variables;
}

/** Where the next statement begins: behind blanks and comments. */
function statement(text: string, from: number): number {
  return skip(/(?:\s|#[^\n]*(?:\n|$))*/y, text, from);
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.exec(text);
  return pattern.lastIndex;
}

function value(text: string, from: number, variables: Variables): { value: string; end: number } {
  const quote = text[from];
  if (quote === "'" || quote === '"') {
    const { inner, end } = quoted(text, from, quote);
    return { value: quote === "'" ? inner : interpolate(unescape(inner), variables), end };
  }
  const newline = text.indexOf('\n', from);
  const end = newline < 0 ? text.length : newline;
  const [bare = ''] = text.slice(from, end).split(' #');
  return { value: interpolate(bare.trimEnd(), variables), end };
}

/** A backslash keeps the quote from ending the value, also in single quotes; before anything else it stays. */
function quoted(text: string, from: number, quote: string): { inner: string; end: number } {
  let inner = '';
  for (let index = from + 1; index < text.length; index++) {
    const character = text[index] ?? '';
    if (character === quote) return { inner, end: index + 1 };
    if (character === '\\' && index + 1 < text.length) {
      const next = text[++index] ?? '';
      inner += next === quote ? next : character + next;
    } else inner += character;
  }
  throw new RefusedError('Compose: an env file has a quote that is not closed');
}

function unescape(text: string): string {
  return text.replace(ESCAPE, (_token, character?: string, octal?: string) =>
    character === undefined ? String.fromCharCode(parseInt(octal ?? '', 8) & 0xff) : (ESCAPED[character] ?? ''),
  );
}
