import {
  type CloudProvider,
  type CloudServer,
  type FirewallSpec,
  type Location,
  type Look,
  type LookWish,
  type ManagedFirewall,
  type ManagedKey,
  type OwnerQuery,
  type ProjectKey,
  type RequestPurpose,
  type ServerImage,
  type ServerSpec,
  type ServerType,
  type SshKey,
  type WaitingServer,
  lookThroughPages,
  numericId,
  unlessGone,
} from '@agent-controller/cloud-port';
import { z } from 'zod';
import { imageAnswer, locationAnswer, pricingAnswer, serverAnswer, serverTypeAnswer } from './hetzner-answer.schemas';
import { toLocation, toServerImage, toServerType } from './hetzner-catalogue.mapper';
import { ownedSelector, ownerLabels, ownerSelector } from './hetzner-owner.labels';
import { toCloudServer } from './hetzner-server.mapper';
import { HetznerFirewalls } from './hetzner-firewalls';
import { HetznerProjectKeys } from './hetzner-project-keys';
import { HetznerClient, type HetznerOptions } from './hetzner.client';

/** Up to this many servers, one call each is cheaper than a page of the list. */
const LOOK_BY_ID = 2;

/** Hetzner Cloud, by its API v1 and the facts of provider-rules.md. */
export class HetznerProvider implements CloudProvider {
  readonly type = 'hetzner';
  readonly displayName = 'Hetzner Cloud';
  readonly maxUserDataBytes = 32_768;
  readonly #api: HetznerClient;
  readonly #keys: HetznerProjectKeys;
  readonly #firewalls: HetznerFirewalls;

  constructor(options: HetznerOptions) {
    this.#api = new HetznerClient(options);
    this.#keys = new HetznerProjectKeys(this.#api);
    this.#firewalls = new HetznerFirewalls(this.#api);
  }

  async listServerTypes(): Promise<ServerType[]> {
    const { pricing } = await this.#api.send({ method: 'GET', path: '/pricing', purpose: 'look' }, pricingAnswer);
    const types: ServerType[] = [];
    const now = new Date();
    for await (const answer of this.#api.list(
      { path: '/server_types', purpose: 'look' },
      'server_types',
      serverTypeAnswer,
    )) {
      const type = toServerType(answer, pricing, now);
      if (type) types.push(type);
    }
    return types;
  }

  async listLocations(): Promise<Location[]> {
    const locations: Location[] = [];
    for await (const answer of this.#api.list({ path: '/locations', purpose: 'look' }, 'locations', locationAnswer)) {
      locations.push(toLocation(answer));
    }
    return locations;
  }

  async listImages(): Promise<ServerImage[]> {
    const images: ServerImage[] = [];
    // Deprecated ones can be ordered for three months more.
    const query = { type: ['system', 'app', 'snapshot'], status: 'available', include_deprecated: true };
    for await (const answer of this.#api.list({ path: '/images', query, purpose: 'look' }, 'images', imageAnswer)) {
      const image = toServerImage(answer);
      if (image) images.push(image);
    }
    return images;
  }

  async create(spec: ServerSpec): Promise<CloudServer> {
    const body = {
      name: spec.name,
      server_type: spec.serverType,
      location: spec.location,
      image: spec.image,
      // A number means an id; a string would be taken for a name.
      ssh_keys: spec.sshKeyIds.map((id) => numericId(id, this.displayName)),
      user_data: spec.userData,
      labels: ownerLabels(spec.owner),
      firewalls: [{ firewall: numericId(spec.firewall, this.displayName) }],
      start_after_create: true,
    };
    const answer = z.object({ server: serverAnswer });
    const { maySend } = spec;
    const request = { method: 'POST', path: '/servers', body, purpose: 'create', ordersServer: true, maySend } as const;
    const { server } = await this.#api.send(request, answer);
    return toCloudServer(server);
  }

  async get(serverId: string): Promise<CloudServer> {
    const path = `/servers/${numericId(serverId, this.displayName)}`;
    const request = { method: 'GET', path, purpose: 'look', serverId } as const;
    const { server } = await this.#api.send(request, z.object({ server: serverAnswer }));
    return toCloudServer(server);
  }

  async findByOwner(owner: OwnerQuery, purpose: RequestPurpose = 'delete'): Promise<CloudServer[]> {
    const servers: CloudServer[] = [];
    for await (const server of this.servers(ownerSelector(owner), 'created:asc', purpose)) servers.push(server);
    return servers.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || Number(a.id) - Number(b.id));
  }

  /** Of those that run the newest are those that began to run last: one page shows them, whatever else runs or waits. */
  look(waiting: readonly WaitingServer[], { runningOnly = false }: LookWish = {}): Promise<Look> {
    return lookThroughPages(waiting, {
      get: (serverId) => this.get(serverId),
      pages: this.serverPages(
        { label_selector: ownedSelector, sort: 'created:desc', ...(runningOnly ? { status: 'running' } : {}) },
        'look',
      ),
      isNewestFirst: true,
      byIdUpTo: runningOnly ? 1 : LOOK_BY_ID,
    });
  }

  async *listOwned(): AsyncIterable<CloudServer> {
    yield* this.servers(ownedSelector, 'id:asc', 'look');
  }

  async destroy(serverId: string, purpose: RequestPurpose = 'delete'): Promise<'deleting' | 'gone'> {
    const path = `/servers/${numericId(serverId, this.displayName)}`;
    const request = { method: 'DELETE', path, purpose, serverId } as const;
    const sent = this.#api.sendOnly(request).then(() => 'deleting' as const);
    return (await unlessGone(sent)) ?? 'gone';
  }

  ensureSentinel(key: ProjectKey): Promise<string> {
    return this.#keys.ensure(key);
  }

  async hasSentinel(sentinelId: string): Promise<boolean> {
    return this.#keys.has(sentinelId);
  }

  listKeys(): Promise<SshKey[]> {
    return this.#keys.list();
  }

  ensureKey(key: ProjectKey): Promise<string> {
    return this.#keys.ensure(key);
  }

  listManagedKeys(): Promise<ManagedKey[]> {
    return this.#keys.listManaged();
  }

  removeKey(keyId: string): Promise<void> {
    return this.#keys.remove(keyId);
  }

  ensureFirewall(spec: FirewallSpec): Promise<string> {
    return this.#firewalls.ensure(spec);
  }

  listFirewalls(): Promise<ManagedFirewall[]> {
    return this.#firewalls.list();
  }

  removeFirewall(firewallId: string, maySend?: () => boolean): Promise<void> {
    return this.#firewalls.remove(firewallId, maySend);
  }

  private async *servers(selector: string, sort: string, purpose: RequestPurpose): AsyncGenerator<CloudServer> {
    for await (const page of this.serverPages({ label_selector: selector, sort }, purpose)) yield* page;
  }

  private async *serverPages(query: Record<string, string>, purpose: RequestPurpose): AsyncGenerator<CloudServer[]> {
    const pages = this.#api.pages({ path: '/servers', query, purpose }, 'servers', serverAnswer);
    for await (const page of pages) yield page.map(toCloudServer);
  }
}
