import { load } from 'js-yaml';
import { posix } from 'node:path';
import { readEnvFile, readRawEnvFile } from './env-file';
import { interpolate } from './interpolation';
import { RefusedError } from './refused.error';

export interface ComposeService {
  name: string;
  image: string;
  environment: Record<string, string>;
  ports: { host: number; container: number }[];
  volumes: { source: string; target: string }[];
  networks: string[];
}

/** The files of a server, by absolute path. */
export type ServerFiles = ReadonlyMap<string, string>;
type Tree = Record<string, unknown>;

/** Keys whose lists are put together when files are merged; other lists and scalars of the later file win. */
const APPENDED = ['ports', 'volumes', 'networks', 'group_add'];

/**
 * Reads `docker-compose.yml` and its override in a folder by Compose's rules.
 * @param assumed variables that the server's own script writes to `.env` when it runs
 * @throws RefusedError for what `docker compose up` would refuse
 */
export function readCompose(files: ServerFiles, folder: string, assumed: Record<string, string>): ComposeService[] {
  const dotEnv = files.get(posix.join(folder, '.env'));
  const variables = { ...assumed, ...(dotEnv === undefined ? {} : readEnvFile(dotEnv, {})) };
  const base = document(files, posix.join(folder, 'docker-compose.yml'), variables);
  const overridePath = posix.join(folder, 'docker-compose.override.yml');
  const merged = files.has(overridePath) ? merge(base, document(files, overridePath, variables)) : base;
  const services = asTree(merged['services'], 'services');
  const names = Object.keys(services);
  return names.map((name) => service(name, asTree(services[name], name), { merged, names, files, folder, variables }));
}

function document(files: ServerFiles, path: string, variables: Record<string, string>): Tree {
  const text = files.get(path);
  if (text === undefined) throw new RefusedError(`${path} does not exist`);
  try {
    const tree = normalise(asTree(load(text), path));
    return interpolateAll(tree, variables) as Tree;
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new RefusedError(`${path} is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** `environment` as a map, so that both of its forms can be merged. */
function normalise(tree: Tree): Tree {
  for (const each of Object.values(asTree(tree['services'] ?? {}, 'services')) as Tree[]) {
    const { environment } = each;
    if (!Array.isArray(environment)) continue;
    each['environment'] = Object.fromEntries(
      environment.map((line) => {
        const [name = '', ...rest] = String(line).split('=');
        return [name, rest.length > 0 ? rest.join('=') : null];
      }),
    );
  }
  return tree;
}

function interpolateAll(value: unknown, variables: Record<string, string>): unknown {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((each) => interpolateAll(each, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolateAll(each, variables)]));
}

function merge(base: Tree, other: Tree): Tree {
  const result = { ...base };
  for (const [key, value] of Object.entries(other)) {
    const earlier = result[key];
    if (Array.isArray(earlier) && Array.isArray(value) && APPENDED.includes(key)) {
      result[key] = [...new Set([...(earlier as unknown[]), ...(value as unknown[])])];
    } else if (isTree(earlier) && isTree(value)) result[key] = merge(earlier, value);
    else result[key] = value;
  }
  return result;
}

interface Context {
  merged: Tree;
  names: string[];
  files: ServerFiles;
  folder: string;
  variables: Record<string, string>;
}

function service(name: string, tree: Tree, context: Context): ComposeService {
  const { merged, names, folder } = context;
  if (typeof tree['image'] !== 'string') throw new RefusedError(`Compose: service ${name} has no image`);
  const dependencies = Array.isArray(tree['depends_on'])
    ? tree['depends_on']
    : Object.keys((tree['depends_on'] ?? {}) as Tree);
  for (const dependency of dependencies) {
    if (!names.includes(String(dependency)))
      throw new RefusedError(`Compose: ${name} depends on ${dependency}, which is undefined`);
  }
  const networks = Array.isArray(tree['networks'])
    ? tree['networks'].map(String)
    : Object.keys((tree['networks'] ?? { default: null }) as Tree);
  for (const network of networks) {
    if (network !== 'default' && !(network in ((merged['networks'] ?? {}) as Tree))) {
      throw new RefusedError(`Compose: ${name} refers to the undefined network ${network}`);
    }
  }
  return {
    name,
    image: tree['image'],
    environment: { ...envFiles(tree['env_file'], context), ...environment(tree['environment'], name) },
    ports: list(tree['ports']).map((entry) => port(String(entry))),
    volumes: list(tree['volumes']).map((entry) => volume(String(entry), folder, (merged['volumes'] ?? {}) as Tree)),
    networks,
  };
}

function environment(value: unknown, name: string): Record<string, string> {
  const entries = Object.entries(asTree(value ?? {}, `environment of ${name}`));
  // Null takes the variable from Compose's own environment, where it is not set.
  return Object.fromEntries(entries.filter(([, each]) => each !== null).map(([key, each]) => [key, String(each)]));
}

function envFiles(value: unknown, { files, folder, variables }: Context): Record<string, string> {
  const entries = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const read = entries.map((entry) => {
    const { path, format } = (typeof entry === 'string' ? { path: entry, format: undefined } : entry) as {
      path: string;
      format?: string;
    };
    const text = files.get(posix.resolve(folder, path));
    if (text === undefined) throw new RefusedError(`Compose: env file ${path} not found`);
    return format === 'raw' ? readRawEnvFile(text) : readEnvFile(text, variables);
  });
  return Object.assign({}, ...read) as Record<string, string>;
}

function port(entry: string): { host: number; container: number } {
  const match = /^(?:[\d.]+:)?(\d+):(\d+)(?:\/tcp)?$/.exec(entry);
  if (!match) throw new RefusedError(`Compose: port ${entry} is not understood`);
  return { host: Number(match[1]), container: Number(match[2]) };
}

function volume(entry: string, folder: string, named: Tree): { source: string; target: string } {
  const [source = '', target = ''] = entry.split(':');
  if (!/^[./]/.test(source) && !(source in named)) throw new RefusedError(`Compose: volume ${source} is undefined`);
  return { source: /^\./.test(source) ? posix.resolve(folder, source) : source, target };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asTree(value: unknown, what: string): Tree {
  if (!isTree(value)) throw new RefusedError(`Compose: ${what} is not a mapping`);
  return value;
}
