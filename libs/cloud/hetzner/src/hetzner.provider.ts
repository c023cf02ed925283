import { createHash } from 'node:crypto';
import {
  CloudError,
  type CloudProvider,
  type CloudServer,
  type Location,
  type OwnerQuery,
  type ProjectKey,
  type ServerSpec,
  type ServerType,
  type WaitingServer,
} from '@agent-controller/cloud-port';
import { z } from 'zod';
import { locationAnswer, pricingAnswer, serverAnswer, serverTypeAnswer, sshKeyAnswer } from './hetzner-answer.schemas';
import { toLocation, toServerType } from './hetzner-catalogue.mapper';
import { ownedSelector, ownerLabels, ownerSelector } from './hetzner-owner.labels';
import { toCloudServer } from './hetzner-server.mapper';
import { HetznerClient, type HetznerOptions } from './hetzner.client';

/** Up to this many servers, one call each is cheaper than a page of the list. */
const LOOK_BY_ID = 2;

/** Hetzner Cloud, by its API v1 and the facts of provider-rules.md. */
export class HetznerProvider implements CloudProvider {
  readonly type = 'hetzner';
  readonly displayName = 'Hetzner Cloud';
  readonly maxUserDataBytes = 32_768;
  readonly #api: HetznerClient;

  constructor(options: HetznerOptions) {
    this.#api = new HetznerClient(options);
  }

  async listServerTypes(): Promise<ServerType[]> {
    const { pricing } = await this.#api.send({ method: 'GET', path: '/pricing' }, pricingAnswer);
    const types: ServerType[] = [];
    const now = new Date();
    for await (const answer of this.#api.list('/server_types', 'server_types', serverTypeAnswer)) {
      const type = toServerType(answer, pricing, now);
      if (type) types.push(type);
    }
    return types;
  }

  async listLocations(): Promise<Location[]> {
    const locations: Location[] = [];
    for await (const answer of this.#api.list('/locations', 'locations', locationAnswer)) {
      locations.push(toLocation(answer));
    }
    return locations;
  }

  async create(spec: ServerSpec): Promise<CloudServer> {
    const body = {
      name: spec.name,
      server_type: spec.serverType,
      location: spec.location,
      image: spec.image,
      // A number means an id; a string would be taken for a name.
      ssh_keys: [numericId(spec.sshKeyId)],
      user_data: spec.userData,
      labels: ownerLabels(spec.owner),
      start_after_create: true,
    };
    const answer = z.object({ server: serverAnswer });
    const { server } = await this.#api.send({ method: 'POST', path: '/servers', body }, answer);
    return toCloudServer(server);
  }

  async get(serverId: string): Promise<CloudServer> {
    const path = `/servers/${numericId(serverId)}`;
    const { server } = await this.#api.send({ method: 'GET', path }, z.object({ server: serverAnswer }));
    return toCloudServer(server);
  }

  async findByOwner(owner: OwnerQuery): Promise<CloudServer[]> {
    const servers: CloudServer[] = [];
    for await (const server of this.servers(ownerSelector(owner), 'created:asc')) servers.push(server);
    return servers.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || Number(a.id) - Number(b.id));
  }

  async look(waiting: readonly WaitingServer[]): Promise<CloudServer[]> {
    if (waiting.length <= LOOK_BY_ID) {
      const seen = await Promise.all(waiting.map(({ serverId }) => unlessGone(this.get(serverId))));
      return seen.filter((server) => server !== null);
    }
    return this.lookNewestFirst(waiting);
  }

  async *listOwned(): AsyncIterable<CloudServer> {
    yield* this.servers(ownedSelector, 'id:asc');
  }

  async destroy(serverId: string): Promise<'deleting' | 'gone'> {
    const path = `/servers/${numericId(serverId)}`;
    const sent = this.#api.sendOnly({ method: 'DELETE', path }).then(() => 'deleting' as const);
    return (await unlessGone(sent)) ?? 'gone';
  }

  async ensureSentinel({ name, publicKey }: ProjectKey): Promise<string> {
    const existing = await this.findKey(publicKey);
    if (existing) return existing;
    try {
      const body = { name, public_key: publicKey, labels: {} };
      const answer = z.object({ ssh_key: sshKeyAnswer });
      const { ssh_key } = await this.#api.send({ method: 'POST', path: '/ssh_keys', body }, answer);
      return String(ssh_key.id);
    } catch (error) {
      // Another controller may have been faster. If the key is still not there, its name is taken by another key.
      const other = isKind(error, 'conflict') ? await this.findKey(publicKey) : null;
      if (other) return other;
      throw error;
    }
  }

  async hasSentinel(sentinelId: string): Promise<boolean> {
    const path = `/ssh_keys/${numericId(sentinelId)}`;
    return (await unlessGone(this.#api.send({ method: 'GET', path }, z.object({ ssh_key: sshKeyAnswer })))) !== null;
  }

  private async findKey(publicKey: string): Promise<string | null> {
    const fingerprint = md5Fingerprint(publicKey);
    for await (const key of this.#api.list('/ssh_keys', 'ssh_keys', sshKeyAnswer, { fingerprint })) {
      if (key.fingerprint === fingerprint) return String(key.id);
    }
    return null;
  }

  private async lookNewestFirst(waiting: readonly WaitingServer[]): Promise<CloudServer[]> {
    const missing = new Set(waiting.map(({ serverId }) => serverId));
    const oldest = Math.min(...waiting.map(({ createdAt }) => createdAt.getTime()));
    const seen: CloudServer[] = [];
    for await (const server of this.servers(ownedSelector, 'created:desc')) {
      if (missing.delete(server.id)) seen.push(server);
      // All that follow are older than any that someone waits for.
      if (missing.size === 0 || server.createdAt.getTime() < oldest) break;
    }
    return seen;
  }

  private async *servers(selector: string, sort: string): AsyncGenerator<CloudServer> {
    const query = { label_selector: selector, sort };
    for await (const server of this.#api.list('/servers', 'servers', serverAnswer, query)) yield toCloudServer(server);
  }
}

/** Nothing but a number may come into a path: an empty id would address all servers. */
function numericId(id: string): number {
  if (!/^[1-9]\d*$/.test(id) || !Number.isSafeInteger(Number(id)))
    throw new CloudError('invalid', `Hetzner Cloud: "${id.slice(0, 40)}" is no id`);
  return Number(id);
}

function isKind(error: unknown, kind: CloudError['kind']): boolean {
  return error instanceof CloudError && error.kind === kind;
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isKind(error, 'not-found')) return null;
    throw error;
  }
}

/** As Hetzner shows it: MD5 of the key itself, in pairs of hex digits. */
function md5Fingerprint(publicKey: string): string {
  const key = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? '', 'base64');
  return (createHash('md5').update(key).digest('hex').match(/../g) ?? []).join(':');
}
