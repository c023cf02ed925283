import type { FieldError } from '@agent-controller/kernel';
import { shownName } from './field-name';

/** No body of ours is deeper than 4; what walks through it later may call itself for each level. */
const MAX_DEPTH = 16;
// A string, or a mark; all that is between means nothing here. A string without an end goes to the end of the text: were it
// no token, it would be read again from each of its quotes.
const TOKEN = /"(?:[^"\\]|\\[^])*"?|[{}[\],:]/g;

/** Where the scan is: in an object its names so far and the last one, in an array the index. */
interface Level {
  names: Set<string> | null;
  at: string | number;
}

/**
 * What `JSON.parse` takes without a word: a name that is given twice, of which it keeps the last; names that every object
 * inherits, such as `__proto__`; and any depth. Null where there is none of that, or what is no JSON at all.
 */
export function jsonProblem(text: string): FieldError | null {
  const levels: Level[] = [];
  let isName = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      levels.push({ names: token === '{' ? new Set() : null, at: 0 });
      if (levels.length > MAX_DEPTH) return { field: path(levels), message: `must not be deeper than ${MAX_DEPTH}` };
    } else if (token === '}' || token === ']') levels.pop();
    else if (token === ',' && level?.names === null) (level.at as number)++;
    else if (token.startsWith('"') && isName && level?.names) {
      const problem = nameProblem(token, level);
      if (problem === undefined) return null;
      if (problem) return { field: path(levels), message: problem };
    }
    isName = token === '{' || (token === ',' && !!level?.names);
  }
  return null;
}

/** Notes the name; undefined: it is no JSON string. */
function nameProblem(token: string, level: Level): string | null | undefined {
  let name: string;
  try {
    name = JSON.parse(token) as string;
  } catch {
    return undefined;
  }
  level.at = name;
  if (name in Object.prototype) return 'is not a field of this request';
  if (level.names?.has(name)) return 'is given twice';
  level.names?.add(name);
  return null;
}

/** As in other errors: `fallback[1].location`. */
function path(levels: Level[]): string {
  const parts = levels.map(({ names, at }) => (names ? `.${shownName(String(at))}` : `[${at}]`)).slice(0, MAX_DEPTH);
  return parts.join('').replace(/^\./, '');
}
