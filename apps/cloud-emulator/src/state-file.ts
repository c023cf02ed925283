import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { FirewallRecord, KeyRecord, Project, ProviderName, ServerRecord } from './project';
import type { ServerOrder } from './server/machine';
import type { ServerFacts, ServerIdentity, World } from './world';

interface SavedServer {
  facts: ServerFacts;
  order: Omit<ServerOrder, 'address'>;
  identity: ServerIdentity;
}

interface SavedProject {
  provider: ProviderName;
  token: string;
  keys: KeyRecord[];
  firewalls: FirewallRecord[];
  tags: string[];
  servers: SavedServer[];
}

/** Writes what is in the projects, so that a controller's database still fits after both are started again. */
export function saveState(world: World, file: string): void {
  const saved = world.tokens().map(({ provider, token, project }): SavedProject => ({
    provider,
    token,
    keys: [...project.keys.values()],
    firewalls: [...project.firewalls.values()],
    tags: [...project.tags],
    servers: [...project.servers.values()].filter(({ machine }) => machine.life !== 'deleting').map(savedServer),
  }));
  // User data has secrets. Renamed into place, so that no half of it is ever read.
  writeFileSync(`${file}.new`, JSON.stringify(saved), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Makes the projects as they were, and boots their servers again. Without a file there is nothing to do. */
export function loadState(world: World, file: string): void {
  for (const { provider, token, keys, firewalls, tags, servers } of readState(file)) {
    const project: Project = world.project(provider, token);
    for (const key of keys) project.keys.set(key.id, { ...key, createdAt: new Date(key.createdAt) });
    for (const firewall of firewalls) {
      project.firewalls.set(firewall.id, { ...firewall, createdAt: new Date(firewall.createdAt) });
    }
    for (const tag of tags) project.tags.add(tag);
    for (const { facts, order, identity } of servers) {
      world.createServer(project, facts, order, { ...identity, createdAt: new Date(identity.createdAt) });
    }
  }
}

function readState(file: string): SavedProject[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SavedProject[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`${file} cannot be read; remove it to start with empty projects`, { cause: error });
  }
}

function savedServer(record: ServerRecord): SavedServer {
  const { name, typeId, locationId, imageName, labels, tags, sshKeyIds, firewallIds, machine } = record;
  const { address: _address, ...order } = machine.order;
  return {
    facts: { name, typeId, locationId, imageName, labels, tags, sshKeyIds, firewallIds },
    order,
    identity: { id: record.id, createdAt: record.createdAt, address: record.address },
  };
}
