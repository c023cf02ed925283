import { RefusedError } from './refused.error';

/** One line of a Caddyfile with the block behind it, if it has one. */
export interface Directive {
  words: string[];
  block: Directive[];
}

/** @throws RefusedError when its braces do not fit */
export function caddyDirectives(text: string): Directive[] {
  return block(
    text.split('\n').map((line) => words(line)),
    false,
  );
}

/** Words of a line; quoted ones may hold spaces, and a word that begins with # ends the line. */
function words(line: string): string[] {
  const found: string[] = [];
  for (const [word] of line.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|\S+/g)) {
    if (word.startsWith('#')) break;
    found.push(/^["`]/.test(word) ? word.slice(1, -1) : word);
  }
  return found;
}

/** Takes lines up to the brace that closes the block. */
function block(lines: string[][], isInner: boolean): Directive[] {
  const directives: Directive[] = [];
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line.length === 0) continue;
    if (line[0] === '}') {
      if (isInner) return directives;
      throw new RefusedError('Caddy: the Caddyfile has a brace too many');
    }
    const opens = line.at(-1) === '{';
    directives.push({ words: opens ? line.slice(0, -1) : line, block: opens ? block(lines, true) : [] });
  }
  if (isInner) throw new RefusedError('Caddy: a block of the Caddyfile is not closed');
  return directives;
}
