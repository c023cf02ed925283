import { RefusedError } from './refused.error';

export type Variables = Readonly<Record<string, string>>;

const NAME = /[_a-z][_a-z0-9]*/iy;
const BRACED = /^([_a-z][_a-z0-9]*)(?:(:?[-?+])([^\n]*))?$/i;

/**
 * Replaces variables by the rules of Compose's package `template`: `$$` is one dollar, `$NAME` and `${NAME…}` are
 * replaced (blank when not set), a dollar before anything else stays as it is.
 * @throws RefusedError for braces that make no sense, and for `${NAME?message}` when it is not set
 */
export function interpolate(text: string, variables: Variables): string {
  let result = '';
  let position = 0;
  for (;;) {
    const dollar = text.indexOf('$', position);
    if (dollar < 0) return result + text.slice(position);
    const { value, end } = replacement(text, dollar + 1, variables);
    result += text.slice(position, dollar) + value;
    position = end;
  }
}

/** What stands for a dollar and what follows it at `start`, and where the text goes on. */
function replacement(text: string, start: number, variables: Variables): { value: string; end: number } {
  if (text[start] === '$') return { value: '$', end: start + 1 };
  if (text[start] === '{') {
    const close = closingBrace(text, start);
    if (close < 0) throw invalid(text, start);
    return { value: braced(text, start, close, variables), end: close + 1 };
  }
  NAME.lastIndex = start;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) return { value: '$', end: start };
  return { value: lookUp(variables, name) ?? '', end: start + name.length };
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    if (text[index] === '{') depth++;
    else if (text[index] === '}' && --depth === 0) return index;
  }
  return -1;
}

function braced(text: string, start: number, close: number, variables: Variables): string {
  const match = BRACED.exec(text.slice(start + 1, close));
  if (!match) throw invalid(text, start);
  const [, name = '', operator = '', operand = ''] = match;
  const value = lookUp(variables, name);
  const isSet = value !== undefined && (!operator.startsWith(':') || value !== '');
  const other = interpolate(operand, variables);
  switch (operator.at(-1)) {
    case '-':
      return isSet ? value : other;
    case '+':
      return isSet ? other : '';
    case '?':
      if (!isSet) throw new RefusedError(`Compose: required variable ${name} is missing a value: ${other}`);
  }
  return value ?? '';
}

/** Only variables of its own, not those that every object has. */
export function lookUp(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

/** Without the text: it may hold a secret. */
function invalid(text: string, at: number): RefusedError {
  return new RefusedError(`Compose: invalid interpolation format at line ${text.slice(0, at).split('\n').length}`);
}
