import { posix } from 'node:path';
import { caddyDirectives, type Directive } from './caddy-directives';
import { RefusedError } from './refused.error';

/** What answers below a path of a site; a null path is whatever no other one fits. */
export type ProxyRoute = { path: string | null } & (
  | { kind: 'upstream'; host: string; port: number }
  /** Files of a folder in the container; with `rewrite` one and the same for every call. */
  | { kind: 'files'; root: string; rewrite: string | null; headers: Record<string, string> }
);

export interface ProxySite {
  port: number;
  certificatePath: string;
  keyPath: string;
  /** Those with a path first, as Caddy sorts them. */
  routes: ProxyRoute[];
}

/**
 * Reads the sites of a Caddyfile whose addresses are bare ports, as far as a reverse proxy with its own key needs it:
 * `tls CERT KEY` with `protocols tls1.2 tls1.3` or nothing in it, `reverse_proxy HOST:PORT`, and `handle [PATH]` around that or around a folder of files.
 * @throws RefusedError when Caddy would not start, or when something of it is not understood
 */
export function readCaddyfile(text: string): ProxySite[] {
  const sites = caddyDirectives(text).flatMap(({ words: addresses, block: body }) =>
    addresses.flatMap((address) => {
      const port = /^(?:https:\/\/)?:(\d+)$/.exec(address.replace(/,$/, ''))?.[1];
      return port === undefined ? [] : [site(Number(port), body)];
    }),
  );
  if (sites.length === 0) throw new RefusedError('Caddy: the Caddyfile has no site at a bare port');
  return sites;
}

function site(port: number, body: Directive[]): ProxySite {
  const where = `site :${port}`;
  const { tls = [], handle = [], ...others } = byName(body);
  const [, certificatePath, keyPath, ...more] = tls[0]?.words ?? [];
  assertTlsOptions(tls[0]?.block ?? [], where);
  const routes = handle.map((directive) => handled(directive, where));
  // Caddy takes handles before what stands beside them: a proxy there answers what none of them takes.
  if (Object.keys(others).length > 0) routes.push(route(null, others, where));
  const paths = routes.map(({ path }) => path);
  if (tls.length !== 1 || !certificatePath || !keyPath || more.length > 0) {
    throw new RefusedError(`Caddy: ${where} has no tls with a certificate and a key`);
  }
  if (!routes.some(({ kind }) => kind === 'upstream')) throw new RefusedError(`Caddy: ${where} has no reverse_proxy`);
  if (new Set(paths).size < paths.length) throw new RefusedError(`Caddy: ${where} handles a path twice`);
  routes.sort((a, b) => Number(a.path === null) - Number(b.path === null));
  return { port, certificatePath, keyPath, routes };
}

/** What the emulated proxy does anyway: it speaks TLS 1.2 and 1.3. */
function assertTlsOptions(options: Directive[], where: string): void {
  for (const { words, block } of options) {
    if (words.join(' ') === 'protocols tls1.2 tls1.3' && block.length === 0) continue;
    throw new RefusedError(`Caddy: ${where}: ${words.join(' ')} is not understood within tls`);
  }
}

function handled({ words: [, path, ...more], block }: Directive, where: string): ProxyRoute {
  if (more.length > 0 || (path !== undefined && !/^\/[^*]*$/.test(path))) {
    throw new RefusedError(`Caddy: ${where}: handle ${[path, ...more].join(' ')} is not understood`);
  }
  return route(path ?? null, byName(block), path === undefined ? where : `${where}: handle ${path}`);
}

function route(path: string | null, directives: Record<string, Directive[]>, where: string): ProxyRoute {
  const { reverse_proxy: proxy, root, rewrite, header, file_server: fileServer, ...unknown } = directives;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) throw new RefusedError(`Caddy: ${where}: ${surplus} is not understood`);
  if (proxy && !root && !rewrite && !header && !fileServer) return { path, ...upstream(proxy, where) };
  if (!fileServer || !root || proxy) {
    throw new RefusedError(`Caddy: ${where} has neither reverse_proxy alone nor file_server with its root`);
  }
  if (fileServer.length > 1 || fileServer[0]?.words.length !== 1 || fileServer[0].block.length > 0) {
    throw new RefusedError(`Caddy: ${where}: file_server with options is not understood`);
  }
  return {
    path,
    kind: 'files',
    root: forAll(root, where),
    rewrite: rewrite ? forAll(rewrite, where) : null,
    headers: Object.fromEntries((header ?? []).map((each) => headerLine(each, where))),
  };
}

function upstream([proxy, ...more]: Directive[], where: string) {
  const [, target = '', ...others] = proxy?.words ?? [];
  const match = /^(?:http:\/\/)?([\w.-]+):(\d+)$/.exec(target);
  if (!match || others.length > 0 || more.length > 0) {
    throw new RefusedError(`Caddy: ${where} has no reverse_proxy that is understood`);
  }
  return { kind: 'upstream' as const, host: match[1] ?? '', port: Number(match[2]) };
}

/** `NAME * PATH` */
function forAll([directive, ...more]: Directive[], where: string): string {
  const [name = '', matcher, path = '', ...others] = directive?.words ?? [];
  if (matcher !== '*' || posix.normalize(path) !== path || !path.startsWith('/') || others.length + more.length > 0) {
    throw new RefusedError(`Caddy: ${where}: ${name} is not understood; only ${name} * /a/path is`);
  }
  return path;
}

/** `header NAME VALUE`; its operators and matchers are not needed. */
function headerLine({ words: [, name = '', value, ...others], block }: Directive, where: string): [string, string] {
  if (!/^[A-Za-z][\w-]*$/.test(name) || value === undefined || others.length > 0 || block.length > 0) {
    throw new RefusedError(`Caddy: ${where}: header ${name} is not understood`);
  }
  return [name, value];
}

function byName(directives: Directive[]): Record<string, Directive[]> {
  const found: Record<string, Directive[]> = {};
  for (const directive of directives) (found[directive.words[0] ?? ''] ??= []).push(directive);
  return found;
}
