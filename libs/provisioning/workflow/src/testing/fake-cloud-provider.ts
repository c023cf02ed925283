import {
  CloudError,
  type CloudProvider,
  type CloudServer,
  type FirewallSpec,
  type Location,
  type Look,
  type LookWish,
  type ManagedFirewall,
  type ManagedKey,
  type OwnerQuery,
  type OwnerTag,
  type ProjectKey,
  type RequestPurpose,
  type ServerImage,
  type ServerSpec,
  type ServerType,
  type SshKey,
  type WaitingServer,
} from '@agent-controller/cloud-port';

type Method = Exclude<keyof CloudProvider, 'type' | 'displayName' | 'maxUserDataBytes'>;

export const DEBIAN: ServerImage = {
  id: '1',
  name: 'debian-13',
  description: 'Debian 13',
  kind: 'system',
  osFamily: 'debian',
  osVersion: '13',
  architecture: 'x86',
  hasDocker: false,
  isDeprecated: false,
  minDisk: 5,
  locations: null,
};

/** One project at a provider, in memory. It does what the port says, and what a test tells it to do wrong. */
export class FakeCloudProvider implements CloudProvider {
  readonly type = 'hetzner';
  readonly displayName = 'Fake Cloud';
  readonly maxUserDataBytes = 32_768;

  /** What was called, in order: `create`, `destroy 7`, … */
  readonly calls: string[] = [];
  readonly specs: ServerSpec[] = [];
  readonly looks: { ids: string[]; runningOnly: boolean }[] = [];
  readonly servers = new Map<string, CloudServer>();
  /** Ids of the project's keys. */
  readonly keys = new Set<string>();
  serverTypes: ServerType[] = [];
  locations: Location[] = [];
  images: ServerImage[] = [DEBIAN];
  /** What `listKeys` answers. */
  sshKeys: SshKey[] = [];
  /** Keys that callers gave, by their ids. */
  readonly callerKeys = new Map<string, ManagedKey>();
  /** By their ids, with `key-` before it for the key. */
  readonly firewalls = new Map<string, ManagedFirewall>();
  #nextFirewall = 1;
  /** Whether servers show in lists; right after a create they may not. */
  isListing = true;
  /** What the list ends with, after all of its servers. */
  listBreaks: CloudError | null = null;
  readonly #failures = new Map<Method, CloudError[]>();

  /** The next calls of a method throw these. */
  failNext(method: Method, ...errors: CloudError[]): void {
    this.#failures.set(method, errors);
  }

  /** A server that is in the project already. */
  add(id: string, owner: OwnerTag, changes: Partial<CloudServer> = {}): CloudServer {
    const server: CloudServer = {
      id,
      name: `server-${id}`,
      status: 'creating',
      providerStatus: 'initializing',
      serverType: 'cx23',
      location: 'fsn1',
      image: 'debian-13',
      publicIpv4: null,
      publicIpv6: null,
      privateIpv4: null,
      createdAt: new Date('2026-01-01T00:00:00Z'),
      firewalls: [],
      owner,
      ...changes,
    };
    this.servers.set(id, server);
    return server;
  }

  async listServerTypes(): Promise<ServerType[]> {
    this.called('listServerTypes');
    return this.serverTypes;
  }

  async listLocations(): Promise<Location[]> {
    this.called('listLocations');
    return this.locations;
  }

  async listImages(): Promise<ServerImage[]> {
    this.called('listImages');
    return this.images;
  }

  async create(spec: ServerSpec): Promise<CloudServer> {
    this.specs.push(spec);
    this.called('create');
    return this.add(`new-${this.specs.length}`, spec.owner, { name: spec.name, firewalls: [spec.firewall] });
  }

  async get(serverId: string): Promise<CloudServer> {
    this.called('get', serverId);
    const server = this.servers.get(serverId);
    if (!server) throw new CloudError('not-found', 'no such server');
    return server;
  }

  async findByOwner(
    { instanceId, provisioningId, attempt }: OwnerQuery,
    purpose: RequestPurpose = 'delete',
  ): Promise<CloudServer[]> {
    const which = attempt === undefined ? 'all' : String(attempt);
    this.called('findByOwner', purpose === 'delete' ? which : `${which} to ${purpose}`);
    if (!this.isListing) return [];
    return [...this.servers.values()]
      .filter(({ owner }) => owner?.instanceId === instanceId && owner.provisioningId === provisioningId)
      .filter(({ owner }) => attempt === undefined || owner?.attempt === attempt)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  /** As a provider whose lists can be narrowed to what runs; one request, whatever it sees. */
  async look(waiting: readonly WaitingServer[], { runningOnly = false }: LookWish = {}): Promise<Look> {
    this.called('look');
    this.looks.push({ ids: waiting.map(({ serverId }) => serverId), runningOnly });
    const servers = waiting.flatMap(({ serverId }) => this.servers.get(serverId) ?? []);
    return { servers: servers.filter(({ status }) => !runningOnly || status === 'running'), requests: 1 };
  }

  async *listOwned(): AsyncGenerator<CloudServer> {
    this.called('listOwned');
    if (!this.isListing) return;
    yield* this.servers.values();
    const error = this.listBreaks;
    if (error) throw error;
  }

  /** The first call marks a server, the next one finds it gone. */
  async destroy(serverId: string, purpose: RequestPurpose = 'delete'): Promise<'deleting' | 'gone'> {
    this.called('destroy', purpose === 'delete' ? serverId : `${serverId} to ${purpose}`);
    const server = this.servers.get(serverId);
    if (!server) return 'gone';
    if (server.status === 'deleting') this.servers.delete(serverId);
    else this.servers.set(serverId, { ...server, status: 'deleting' });
    return 'deleting';
  }

  async ensureSentinel({ name }: ProjectKey): Promise<string> {
    this.called('ensureSentinel');
    const id = `key-of-${name}`;
    this.keys.add(id);
    return id;
  }

  async hasSentinel(sentinelId: string): Promise<boolean> {
    this.called('hasSentinel');
    return this.keys.has(sentinelId);
  }

  async listKeys(): Promise<SshKey[]> {
    this.called('listKeys');
    return this.sshKeys;
  }

  async ensureKey({ name, publicKey, instanceId }: ProjectKey): Promise<string> {
    this.called('ensureKey', name);
    const id = `id-of-${name}`;
    this.keys.add(id);
    this.callerKeys.set(id, { id, name, publicKey, instanceId: instanceId ?? null });
    return id;
  }

  async listManagedKeys(): Promise<ManagedKey[]> {
    this.called('listManagedKeys');
    return [...this.callerKeys.values()];
  }

  async removeKey(keyId: string): Promise<void> {
    this.called('removeKey', keyId);
    this.callerKeys.delete(keyId);
    this.keys.delete(keyId);
  }

  async ensureFirewall({ name, instanceId, inbound }: FirewallSpec): Promise<string> {
    this.called('ensureFirewall', name);
    const known = [...this.firewalls.values()].find((firewall) => firewall.name === name);
    const id = known?.id ?? String(this.#nextFirewall++);
    const key = `key-${id}`;
    this.firewalls.set(id, { isApplied: false, ...known, id, name, key, instanceId, inbound: [...inbound] });
    return key;
  }

  async listFirewalls(): Promise<ManagedFirewall[]> {
    this.called('listFirewalls');
    return [...this.firewalls.values()];
  }

  async removeFirewall(firewallId: string, maySend = () => true): Promise<void> {
    this.called('removeFirewall', firewallId);
    if (maySend()) this.firewalls.delete(firewallId);
  }

  private called(method: Method, detail?: string): void {
    this.calls.push(detail === undefined ? method : `${method} ${detail}`);
    const error = this.#failures.get(method)?.shift();
    if (error) throw error;
  }
}
