import { posix } from 'node:path';
import { readEnvFile, readRawEnvFile } from './env-file';
import { lookUp, type Variables } from './interpolation';
import { RefusedError } from './refused.error';
import { asTree, isTree, type Tree } from './yaml-document';

export interface ComposeService {
  name: string;
  image: string;
  environment: Record<string, string>;
  /** TCP ports that are reachable from outside the server. */
  ports: { host: number; container: number }[];
  /** `source` is a path on the server, or a named volume; those of the same target are one, the last. */
  volumes: { source: string; target: string }[];
  networks: string[];
}

/** What a service is read against. */
export interface ComposeProject {
  serviceNames: string[];
  networks: string[];
  volumes: string[];
  files: ReadonlyMap<string, string>;
  folder: string;
  variables: Variables;
}

const PORT = /^(?:(\[[\d:a-f]*\]|\d+(?:\.\d+){3}):)?(?:(\d*):)?(\d+)(?:\/(tcp|udp))?$/i;
const ANY_ADDRESS = [undefined, '', '0.0.0.0', '::', '[::]'];

/** @throws RefusedError for what `docker compose up` would refuse */
export function readService(name: string, tree: Tree, project: ComposeProject): ComposeService {
  const image = tree['image'];
  if (typeof image !== 'string' || image === '') throw new RefusedError(`Compose: service ${name} has no image`);
  if (!/^[\w][\w./:@-]*$/.test(image)) throw new RefusedError(`Compose: service ${name} has an invalid image`);
  for (const dependency of Object.keys(asTree(tree['depends_on'] ?? {}, `Compose: depends_on of ${name}`))) {
    if (!project.serviceNames.includes(dependency)) {
      throw new RefusedError(`Compose: service ${name} depends on undefined service ${dependency}`);
    }
  }
  const volumes = list(tree['volumes'], `volumes of ${name}`).map((each) => volume(each, project));
  return {
    name,
    image,
    environment: environment(tree, name, project),
    ports: list(tree['ports'], `ports of ${name}`).flatMap(port),
    volumes: [...new Map(volumes.map((each) => [each.target, each])).values()],
    networks: networks(tree, name, project),
  };
}

function networks(tree: Tree, name: string, project: ComposeProject): string[] {
  const names = Object.keys(asTree(tree['networks'] ?? {}, `Compose: networks of ${name}`));
  for (const network of names) {
    if (network !== 'default' && !project.networks.includes(network)) {
      throw new RefusedError(`Compose: service ${name} refers to undefined network ${network}`);
    }
  }
  return names.length > 0 ? names : ['default'];
}

/** Env files first, in order; `environment` wins. A null is looked up in `.env`, and left out when it is not there. */
function environment(tree: Tree, name: string, project: ComposeProject): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [key, value] of Object.entries(asTree(tree['environment'] ?? {}, `Compose: environment of ${name}`))) {
    const found = value === null ? lookUp(project.variables, key) : value;
    if (typeof found === 'object') throw new RefusedError(`Compose: environment of ${name}: ${key} must be a scalar`);
    if (found !== undefined) own[key] = String(found);
  }
  const lookup = { ...own, ...project.variables };
  const files = list(tree['env_file'], `env_file of ${name}`).map((entry) => envFile(entry, lookup, project));
  return Object.assign({}, ...files, own) as Record<string, string>;
}

function envFile(entry: unknown, lookup: Variables, { files, folder }: ComposeProject): Record<string, string> {
  const tree = typeof entry === 'string' ? { path: entry } : asTree(entry, 'Compose: an env_file');
  const { path, format, required } = tree as { path?: unknown; format?: unknown; required?: unknown };
  if (typeof path !== 'string') throw new RefusedError('Compose: an env_file has no path');
  const text = files.get(posix.resolve(folder, path));
  if (text === undefined) {
    if (required === false) return {};
    throw new RefusedError(`Compose: env file ${path} not found`);
  }
  if (format === 'raw') return readRawEnvFile(text, lookup);
  if (format !== undefined) throw new RefusedError(`Compose: env file ${path} has an unsupported format`);
  return readEnvFile(text, lookup);
}

/** Nothing for ports that nobody outside can know or reach: no host port, a host address of its own, UDP. */
function port(entry: unknown): ComposeService['ports'] {
  if (isTree(entry)) {
    const { target, published, host_ip: address, protocol = 'tcp' } = entry;
    if (!/^\d+$/.test(String(target))) throw new RefusedError('Compose: a port has no target');
    return open(address, published === undefined ? undefined : String(published), String(target), String(protocol));
  }
  const match = PORT.exec(String(entry));
  if (!match) throw new RefusedError(`Compose: port ${String(entry)} is not understood`);
  const [, address, host, container = '', protocol = 'tcp'] = match;
  return open(address, host, container, protocol);
}

function open(
  address: unknown,
  host: string | undefined,
  container: string,
  protocol: string,
): ComposeService['ports'] {
  const isOpen =
    ANY_ADDRESS.includes(address as string) && host !== undefined && host !== '' && protocol.toLowerCase() === 'tcp';
  if (!isOpen) return [];
  const ports = { host: Number(host), container: Number(container) };
  if (!isPort(ports.host) || !isPort(ports.container)) throw new RefusedError(`Compose: invalid port ${host}`);
  return [ports];
}

const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;

function volume(entry: unknown, { folder, volumes }: ComposeProject): ComposeService['volumes'][number] {
  const [source, target] = isTree(entry)
    ? [String(entry['source'] ?? ''), String(entry['target'] ?? '')]
    : splitVolume(String(entry));
  if (!target.startsWith('/')) throw new RefusedError('Compose: a volume has no absolute target');
  const isPath = /^[./]/.test(source);
  if (!isPath && source !== '' && !volumes.includes(source)) {
    throw new RefusedError(`Compose: volume ${source} is undefined`);
  }
  return { source: isPath ? posix.resolve(folder, source) : source, target: posix.resolve(target) };
}

/** `source:target[:mode]`, or a target alone: an anonymous volume. */
function splitVolume(entry: string): [string, string] {
  const [source = '', target] = entry.split(':');
  return target === undefined ? ['', source] : [source, target];
}

function list(value: unknown, what: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RefusedError(`Compose: ${what} are not a list`);
  return value as unknown[];
}
