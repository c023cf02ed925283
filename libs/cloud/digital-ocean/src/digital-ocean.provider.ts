import {
  type CloudProvider,
  type CloudServer,
  type FirewallSpec,
  type Location,
  type Look,
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
import {
  dropletAnswer,
  imageAnswer,
  regionAnswer,
  sizeAnswer,
  type RegionAnswer,
} from './digital-ocean-answer.schemas';
import { toLocation, toServerImage, toServerType } from './digital-ocean-catalogue.mapper';
import { toCloudServer } from './digital-ocean-droplet.mapper';
import { DigitalOceanFirewalls } from './digital-ocean-firewalls';
import { lookTag, OWNED_TAG, ownerTags, provisioningTag } from './digital-ocean-owner.tags';
import { DigitalOceanProjectKeys } from './digital-ocean-project-keys';
import { DigitalOceanClient, type DigitalOceanOptions } from './digital-ocean.client';

/** Up to this many servers, one call each is cheaper than a page of the list. */
const LOOK_BY_ID = 2;

/** DigitalOcean, by its API v2 and the facts of provider-rules.md. */
export class DigitalOceanProvider implements CloudProvider {
  readonly type = 'digital-ocean';
  readonly displayName = 'DigitalOcean';
  readonly maxUserDataBytes = 65_536;
  readonly #api: DigitalOceanClient;
  readonly #keys: DigitalOceanProjectKeys;
  readonly #firewalls: DigitalOceanFirewalls;

  constructor(options: DigitalOceanOptions) {
    this.#api = new DigitalOceanClient(options);
    this.#keys = new DigitalOceanProjectKeys(this.#api);
    this.#firewalls = new DigitalOceanFirewalls(this.#api);
  }

  async listServerTypes(): Promise<ServerType[]> {
    const open = (await this.regions()).filter(({ available }) => available).map(({ slug }) => slug);
    const openRegions = new Set(open);
    const sizes = this.#api.list(
      { name: 'GET /sizes', purpose: 'look' },
      (dots, page) => dots.size.listSizes(page),
      'sizes',
      sizeAnswer,
    );
    const types: ServerType[] = [];
    for await (const size of sizes) {
      const type = toServerType(size, openRegions);
      if (type) types.push(type);
    }
    return types;
  }

  async listLocations(): Promise<Location[]> {
    return (await this.regions()).map(toLocation);
  }

  async listImages(): Promise<ServerImage[]> {
    // Without a type: systems, applications and the account's own in as few pages as there are.
    const list = this.#api.list(
      { name: 'GET /images', purpose: 'look' },
      (dots, page) => dots.image.listImages(page),
      'images',
      imageAnswer,
    );
    const images: ServerImage[] = [];
    for await (const answer of list) {
      const image = toServerImage(answer);
      if (image) images.push(image);
    }
    return images;
  }

  async create(spec: ServerSpec): Promise<CloudServer> {
    const request = {
      name: spec.name,
      size: spec.serverType,
      region: spec.location,
      // Images without a slug are known by their number alone.
      image: /^\d+$/.test(spec.image) ? Number(spec.image) : spec.image,
      ssh_keys: spec.sshKeyIds.map((id) => numericId(id, this.displayName)),
      user_data: spec.userData,
      tags: [...ownerTags(spec.owner), spec.firewall, lookTag(new Date())],
      ipv6: true,
      // Nobody needs its console, and the boot is shorter without.
      with_droplet_agent: false,
    };
    const answer = z.object({ droplet: dropletAnswer });
    const { droplet } = await this.#api.call(
      {
        ...{ effect: 'change', name: 'POST /droplets', purpose: 'create', ordersServer: true },
        ...{ maySend: spec.maySend, userData: spec.userData },
      },
      (dots) => dots.droplet.createDroplet(request),
      answer,
    );
    return toCloudServer(droplet);
  }

  async get(serverId: string): Promise<CloudServer> {
    const droplet_id = numericId(serverId, this.displayName);
    const answer = z.object({ droplet: dropletAnswer });
    const { droplet } = await this.#api.call(
      { effect: 'read', name: `GET /droplets/${droplet_id}`, purpose: 'look', serverId },
      (dots) => dots.droplet.getDroplet({ droplet_id }),
      answer,
    );
    return toCloudServer(droplet);
  }

  async findByOwner(
    { instanceId, provisioningId, attempt }: OwnerQuery,
    purpose: RequestPurpose = 'delete',
  ): Promise<CloudServer[]> {
    const found: CloudServer[] = [];
    for await (const server of this.servers(provisioningTag(provisioningId), purpose)) {
      const { owner } = server;
      const isOwners = owner?.instanceId === instanceId && owner.provisioningId === provisioningId;
      if (isOwners && (attempt === undefined || owner.attempt === attempt)) found.push(server);
    }
    return found.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || Number(a.id) - Number(b.id));
  }

  /**
   * The list has no order that could be asked for, and grows with all that runs: so servers have a tag of the minutes in
   * which they were ordered, and only what shares one with a waiting server is listed. States cannot be asked for.
   */
  async look(waiting: readonly WaitingServer[]): Promise<Look> {
    const groups = new Map<string, WaitingServer[]>();
    for (const each of waiting) {
      const tag = each.lookGroup ?? OWNED_TAG;
      groups.set(tag, [...(groups.get(tag) ?? []), each]);
    }
    const looks: Look[] = [];
    for (const [tag, servers] of groups) looks.push(await this.lookAtGroup(tag, servers));
    return {
      servers: looks.flatMap(({ servers }) => servers),
      requests: looks.reduce((sum, { requests }) => sum + requests, 0),
    };
  }

  async *listOwned(): AsyncIterable<CloudServer> {
    yield* this.servers(OWNED_TAG, 'look');
  }

  async destroy(serverId: string, purpose: RequestPurpose = 'delete'): Promise<'deleting' | 'gone'> {
    const droplet_id = numericId(serverId, this.displayName);
    const sent = this.#api.call(
      { effect: 'change', name: `DELETE /droplets/${droplet_id}`, purpose, serverId },
      (dots) => dots.droplet.deleteDroplet({ droplet_id }),
      z.unknown(),
    );
    return (await unlessGone(sent.then(() => 'deleting' as const))) ?? 'gone';
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

  private async regions(): Promise<RegionAnswer[]> {
    const list = this.#api.list(
      { name: 'GET /regions', purpose: 'look' },
      (dots, page) => dots.region.listRegions(page),
      'regions',
      regionAnswer,
    );
    const regions: RegionAnswer[] = [];
    for await (const region of list) regions.push(region);
    return regions;
  }

  private lookAtGroup(tag: string, waiting: readonly WaitingServer[]): Promise<Look> {
    return lookThroughPages(waiting, {
      get: (serverId) => this.get(serverId),
      pages: this.serverPages(tag, 'look'),
      isNewestFirst: false,
      byIdUpTo: LOOK_BY_ID,
    });
  }

  private async *servers(tag: string, purpose: RequestPurpose): AsyncGenerator<CloudServer> {
    for await (const page of this.serverPages(tag, purpose)) yield* page;
  }

  private async *serverPages(tag_name: string, purpose: RequestPurpose): AsyncGenerator<CloudServer[]> {
    const pages = this.#api.pages(
      { name: 'GET /droplets', purpose },
      (dots, page) => dots.droplet.listDroplets({ ...page, tag_name }),
      'droplets',
      dropletAnswer,
    );
    for await (const page of pages) yield page.map(toCloudServer);
  }
}
