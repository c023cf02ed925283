import { RefusedError } from './refused.error';

export interface ProxySite {
  port: number;
  certificatePath: string;
  keyPath: string;
  upstream: { host: string; port: number };
}

/** One line of a Caddyfile with the block behind it, if it has one. */
interface Directive {
  words: string[];
  block: Directive[];
}

/**
 * Reads the sites of a Caddyfile whose addresses are bare ports, as far as a reverse proxy with its own key needs it:
 * `tls CERT KEY` and `reverse_proxy HOST:PORT`, also inside `handle` and `route`.
 * @throws RefusedError when Caddy would not start, or when nothing of it is understood
 */
export function readCaddyfile(text: string): ProxySite[] {
  const lines = text.split('\n').map((line) => words(line));
  const directives = block(lines, false);
  const sites = directives.flatMap(({ words: addresses, block: body }) =>
    addresses.flatMap((address) => {
      const port = /^(?:https:\/\/)?:(\d+)$/.exec(address.replace(/,$/, ''))?.[1];
      return port === undefined ? [] : [site(Number(port), body)];
    }),
  );
  if (sites.length === 0) throw new RefusedError('Caddy: the Caddyfile has no site at a bare port');
  return sites;
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

function site(port: number, body: Directive[]): ProxySite {
  const tls = body.find(({ words: [name] }) => name === 'tls')?.words;
  const upstream = /^(?:http:\/\/)?([\w.-]+):(\d+)$/.exec(find(body, 'reverse_proxy')?.words.at(-1) ?? '');
  if (!tls?.[1] || !tls[2] || !upstream) {
    throw new RefusedError(`Caddy: site :${port} has no tls or no reverse_proxy that is understood`);
  }
  return {
    port,
    certificatePath: tls[1],
    keyPath: tls[2],
    upstream: { host: upstream[1] ?? '', port: Number(upstream[2]) },
  };
}

function find(body: Directive[], name: string): Directive | undefined {
  for (const directive of body) {
    const [word = ''] = directive.words;
    const found = word === name ? directive : /^(handle|handle_path|route)$/.test(word) && find(directive.block, name);
    if (found) return found;
  }
  return undefined;
}
