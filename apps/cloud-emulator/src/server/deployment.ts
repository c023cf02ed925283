import { posix } from 'node:path';
import { readCaddyfile, type ProxyRoute } from './caddyfile';
import { callbackOf, type Callback } from './callback-file';
import type { CloudConfig } from './cloud-init';
import { readCompose, type ServerFiles } from './compose';
import type { ComposeService } from './compose-service';
import { redemptionOf } from './redemption-file';
import { RefusedError } from './refused.error';

/** What answers below a path of a published site; a null path is whatever no other one fits. */
export type SiteRoute = { path: string | null } & (
  | { kind: 'api' | 'web-socket' | 'none' }
  /** A folder of the server, or null where none is mounted there: then nothing is found. */
  | { kind: 'files'; folder: string | null; rewrite: string | null; headers: Record<string, string> }
);

export interface PublishedSite {
  port: number;
  certificate: string;
  key: string;
  routes: SiteRoute[];
}

/** What the user data makes of a server. */
export interface Deployment {
  agentEnvironment: Record<string, string>;
  postgresEnvironment: Record<string, string>;
  sites: PublishedSite[];
  /** Why the agent-manager never becomes healthy, or null. */
  agentProblem: string | null;
  /** Where the server reports how far it is. */
  callback: Callback | null;
}

/**
 * Where the server has its secret files still to fetch, what comes of them is missing: its keys, and secrets in the
 * environment.
 * @throws RefusedError when nothing would ever answer
 */
export function plan({ files, commands }: CloudConfig): Deployment {
  const contents: ServerFiles = new Map(files.map(({ path, content }) => [path, content.toString('utf8')]));
  for (const words of commands) {
    const script = Array.isArray(words) ? words.find((word) => word.startsWith('/opt/')) : undefined;
    if (script && !contents.has(script)) throw new RefusedError(`runcmd runs ${script}, which does not exist`);
  }
  if (commands.length === 0) throw new RefusedError('runcmd is empty: nothing starts the containers');
  const composePath = [...contents.keys()].find((path) => posix.basename(path) === 'docker-compose.yml');
  if (!composePath) throw new RefusedError('No docker-compose.yml was written');
  // The script writes the group of the Docker socket to .env; there is no Docker here to ask.
  const services = readCompose(contents, posix.dirname(composePath), { DOCKER_GID: '999' });
  const proxy = role(services, 'proxy', ({ image }) => /caddy/.test(imageName(image)));
  const postgres = role(services, 'postgres', ({ image }) => /postgres/.test(imageName(image)));
  const agent = role(services, 'agent-manager', (service) => service !== proxy && service !== postgres);
  return {
    agentEnvironment: agent.environment,
    postgresEnvironment: postgres.environment,
    sites: sites(proxy, agent, contents, redemptionOf(files) !== null),
    agentProblem: agentProblem(agent, postgres, proxy),
    callback: callbackOf(files),
  };
}

function role(services: ComposeService[], name: string, is: (service: ComposeService) => boolean): ComposeService {
  const found = services.find(is);
  if (!found) throw new RefusedError(`Compose: there is no service that could be the ${name}`);
  return found;
}

/** The last part of the repository: `ghcr.io/team/caddy` and `registry:5000/caddy:2@sha256:…` are both `caddy`. */
function imageName(image: string): string {
  return (image.split('@')[0] ?? '').split('/').at(-1)?.split(':')[0] ?? '';
}

function sites(
  proxy: ComposeService,
  agent: ComposeService,
  files: ServerFiles,
  isKeyAwaited: boolean,
): PublishedSite[] {
  const inContainer = (path: string) => {
    const text = files.get(onServer(proxy, path) ?? '');
    if (text === undefined) throw new RefusedError(`Caddy: ${path} is not mounted into the container`);
    return text;
  };
  const published = readCaddyfile(inContainer('/etc/caddy/Caddyfile')).flatMap((site) => {
    const opened = proxy.ports.find(({ container }) => container === site.port);
    if (!opened) return [];
    const certificate = inContainer(site.certificatePath);
    const isFetchedLater = isKeyAwaited && !files.has(onServer(proxy, site.keyPath) ?? '');
    const key = isFetchedLater ? '' : inContainer(site.keyPath);
    return { port: opened.host, certificate, key, routes: site.routes.map((each) => route(each, proxy, agent)) };
  });
  if (published.length === 0) throw new RefusedError('Caddy: none of its sites is at a published port');
  return published;
}

/** Where a path of the container is on the server: below the mount that is nearest to it. */
function onServer({ volumes }: ComposeService, path: string): string | null {
  const [nearest] = volumes
    .filter(({ target }) => path === target || path.startsWith(target === '/' ? target : `${target}/`))
    .sort((a, b) => b.target.length - a.target.length);
  if (!nearest?.source.startsWith('/')) return null;
  return posix.join(nearest.source, posix.relative(nearest.target, path));
}

function route(route: ProxyRoute, proxy: ComposeService, agent: ComposeService): SiteRoute {
  const { path } = route;
  if (route.kind === 'upstream') return { path, kind: upstreamKind(route, agent) };
  const { rewrite, headers } = route;
  return { path, kind: 'files', folder: onServer(proxy, route.root), rewrite, headers };
}

function upstreamKind({ host, port }: { host: string; port: number }, agent: ComposeService) {
  if (host !== agent.name) return 'none';
  if (String(port) === (agent.environment['PORT'] ?? '3000')) return 'api';
  return String(port) === (agent.environment['WEBSOCKET_PORT'] ?? '8080') ? 'web-socket' : 'none';
}

/** As seen with the real image: without its secrets or its database it exits. */
function agentProblem(agent: ComposeService, postgres: ComposeService, proxy: ComposeService): string | null {
  const ours = agent.environment;
  const theirs = postgres.environment;
  if (!ours['JWT_SECRET']) return 'agent-manager exits with code 1: JWT_SECRET is missing';
  if (Buffer.from(ours['ENCRYPTION_KEY'] ?? '', 'base64').length !== 32) {
    return 'agent-manager exits with code 1: ENCRYPTION_KEY is not base64 of 32 bytes';
  }
  if (!theirs['POSTGRES_PASSWORD']) return 'postgres exits with code 1: POSTGRES_PASSWORD is missing';
  const shares = (a: ComposeService, b: ComposeService) => a.networks.some((network) => b.networks.includes(network));
  if (ours['DB_HOST'] !== postgres.name || !shares(agent, postgres)) return 'agent-manager cannot reach postgres';
  if (!shares(agent, proxy)) return 'the proxy cannot reach the agent-manager';
  const user = theirs['POSTGRES_USER'] ?? 'postgres';
  const pairs = [
    [ours['DB_PASSWORD'], theirs['POSTGRES_PASSWORD']],
    [ours['DB_USERNAME'], user],
    [ours['DB_DATABASE'], theirs['POSTGRES_DB'] ?? user],
  ];
  if (pairs.some(([a, b]) => a !== b)) return 'postgres refuses the agent-manager: name or password differ';
  if (ours['AUTHENTICATION_METHOD'] === 'api-key' && !ours['STATIC_API_KEY'])
    return 'agent-manager exits: STATIC_API_KEY is missing';
  return null;
}
