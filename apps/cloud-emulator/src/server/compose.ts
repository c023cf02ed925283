import { posix } from 'node:path';
import { readService, type ComposeService } from './compose-service';
import { readEnvFile } from './env-file';
import { interpolate, type Variables } from './interpolation';
import { RefusedError } from './refused.error';
import { asTree, isTree, readYaml, type Tree } from './yaml-document';

/** The files of a server, by absolute path. */
export type ServerFiles = ReadonlyMap<string, string>;

/** Keys whose lists are put together when files are merged; other lists and scalars of the later file win. */
const APPENDED = ['ports', 'volumes', 'env_file', 'group_add'];

/**
 * Reads `docker-compose.yml` and its override in a folder by Compose's rules.
 * @param assumed variables that the server's own script writes to `.env` when it runs
 * @throws RefusedError for what `docker compose up` would refuse
 */
export function readCompose(files: ServerFiles, folder: string, assumed: Record<string, string>): ComposeService[] {
  const variables = { ...assumed, ...readEnvFile(files.get(posix.join(folder, '.env')) ?? '', {}) };
  const base = document(files, posix.join(folder, 'docker-compose.yml'), variables);
  const overridePath = posix.join(folder, 'docker-compose.override.yml');
  const merged = files.has(overridePath) ? merge(base, document(files, overridePath, variables)) : base;
  const services = asTree(merged['services'], 'Compose: services');
  const project = {
    serviceNames: Object.keys(services),
    networks: Object.keys(asTree(merged['networks'] ?? {}, 'Compose: networks')),
    volumes: Object.keys(asTree(merged['volumes'] ?? {}, 'Compose: volumes')),
    files,
    folder,
    variables,
  };
  return Object.entries(services).map(([name, tree]) => readService(name, asTree(tree, `Compose: ${name}`), project));
}

function document(files: ServerFiles, path: string, variables: Variables): Tree {
  const text = files.get(path);
  if (text === undefined) throw new RefusedError(`${path} does not exist`);
  const tree = interpolateAll(readYaml(text, path, '1.2'), variables) as Tree;
  const services = asTree(tree['services'] ?? {}, `${path}: services`);
  for (const [name, service] of Object.entries(services)) services[name] = normalise(asTree(service, name), name);
  return { ...tree, services };
}

/** Keys stay as they are: only values are interpolated. */
function interpolateAll(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((each) => interpolateAll(each, variables));
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolateAll(each, variables)]));
}

/** Brings keys that have several forms into the one that can be merged. */
function normalise(service: Tree, name: string): Tree {
  const { environment, networks, depends_on: dependencies, env_file: envFiles, ...rest } = service;
  const result: Tree = { ...rest };
  if (environment !== undefined) result['environment'] = asEnvironment(environment, name);
  if (networks !== undefined) result['networks'] = namesAsTree(networks, name);
  if (dependencies !== undefined) result['depends_on'] = namesAsTree(dependencies, name);
  if (envFiles !== undefined) result['env_file'] = Array.isArray(envFiles) ? envFiles : [envFiles];
  return result;
}

/** `NAME: value`, or a list of `NAME=value`; a name alone is null. */
function asEnvironment(value: unknown, name: string): Tree {
  if (!Array.isArray(value)) return asTree(value ?? {}, `Compose: environment of ${name}`);
  return Object.fromEntries(
    value.map((each) => {
      const line = String(each);
      const equals = line.indexOf('=');
      return equals < 0 ? [line, null] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

function namesAsTree(value: unknown, name: string): Tree {
  if (Array.isArray(value)) return Object.fromEntries(value.map((each) => [String(each), null]));
  return asTree(value ?? {}, `Compose: a list of names of ${name}`);
}

function merge(base: Tree, other: Tree): Tree {
  const result = { ...base };
  for (const [key, value] of Object.entries(other)) {
    const earlier = result[key];
    if (Array.isArray(earlier) && Array.isArray(value) && APPENDED.includes(key)) result[key] = [...earlier, ...value];
    else if (isTree(earlier) && isTree(value)) result[key] = merge(earlier, value);
    else result[key] = value;
  }
  return result;
}
