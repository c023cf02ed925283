import type { FirewallSpec, ManagedFirewall } from './firewall';
import type { RequestPurpose } from './request-gate';

/** The providers that exist. A new one is added here, in `libs/contracts` and in the app's list. */
export const PROVIDER_TYPES = ['hetzner', 'digital-ocean'] as const;
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** Says whose server it is. It stands in the server's labels or tags, and its name is unique to it. */
export interface OwnerTag {
  /** Id of the controller installation: made once, kept in its database. UUID. */
  instanceId: string;
  /** Id of the provisioning. UUID. */
  provisioningId: string;
  /** 1 for the first server of a provisioning, one more for each replacement. */
  attempt: number;
}

/** An owner's servers: those of one attempt, or of all attempts when `attempt` is absent. */
export type OwnerQuery = Omit<OwnerTag, 'attempt'> & { attempt?: number };

export interface ServerTypeLocation {
  /** Id of a location, as in `Location.id`. */
  id: string;
  /** Whether a server of the type can be created there now. */
  available: boolean;
  /** As billed (gross where the provider tells net from gross), in the type's currency. */
  priceMonthly: number;
  priceHourly: number;
  /** What the server's public IPv4 address costs on top; 0 where it is included. */
  addressPriceMonthly: number;
  /** ISO 8601, when the type ends at this location; null when no end is announced. */
  deprecatedAfter: string | null;
}

/** Of a server's processor. */
export type Architecture = 'x86' | 'arm';

export interface ServerType {
  id: string;
  name: string;
  cores: number;
  /** GB. */
  memory: number;
  /** GB. */
  disk: number;
  architecture: Architecture;
  description: string;
  /** ISO 4217. */
  currency: string;
  /** The lowest price of all locations. */
  priceMonthly: number;
  priceHourly: number;
  locations: ServerTypeLocation[];
}

export interface Location {
  id: string;
  name: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  city: string;
  available: boolean;
}

/** What a server's disk is made from: one entry for each architecture. */
export interface ServerImage {
  /** The provider's number for it. */
  id: string;
  /** The provider's name for it, such as `debian-13`; null where there is only the number, such as for snapshots. */
  name: string | null;
  description: string;
  /**
   * - `system`: an operating system and nothing else.
   * - `app`: the provider's image with an application installed.
   * - `own`: made by the account's owner, such as a snapshot. What it holds is not known.
   */
  kind: 'system' | 'app' | 'own';
  /** Lower case, such as `debian`. */
  osFamily: string;
  /** Such as `13` or `24.04`; null when the provider does not tell. */
  osVersion: string | null;
  architecture: Architecture;
  /** Docker with Compose is installed, as the provider says. */
  hasDocker: boolean;
  /** Can still be ordered, but not for long. */
  isDeprecated: boolean;
  /** GB; smaller disks cannot take it. */
  minDisk: number;
  /** Ids of the locations that have it; null when all do. */
  locations: string[] | null;
}

/** An SSH key of the project. Whether names are unique depends on the provider. */
export interface SshKey {
  id: string;
  name: string;
}

/** A key of the project that may be one of ours. */
export interface ManagedKey extends SshKey {
  /** OpenSSH's format. */
  publicKey: string;
  /** The installation that it is labelled with; null where the provider has no labels for keys. */
  instanceId: string | null;
}

export interface ServerSpec {
  owner: OwnerTag;
  /** A hostname by RFC 1123, at most 63 characters, unique to the owner tag. */
  name: string;
  serverType: string;
  location: string;
  /** The image's name, such as `debian-13`, or its id. */
  image: string;
  userData: string;
  /**
   * Ids of the project's keys that may log in as root, at least one: without a key, root passwords would be mailed.
   * The first is what `ensureSentinel` answered.
   */
  sshKeyIds: readonly string[];
  /** What `ensureFirewall` answered: it stands before the server from its first moment. */
  firewall: string;
  /**
   * Asked at the last moment before the order leaves, when its connection stands: false when so much time has passed
   * that another controller may order as well. Then nothing may be sent.
   */
  maySend?: () => boolean;
}

/** The providers' states on one scale. `gone` is never a state: a server that is gone is `not-found`. */
export type ServerStatus = 'creating' | 'running' | 'stopped' | 'deleting' | 'unknown';

export interface CloudServer {
  id: string;
  name: string;
  status: ServerStatus;
  /** The provider's own word for the state. */
  providerStatus: string;
  serverType: string;
  location: string;
  image: string | null;
  /** Null until the provider has given one. */
  publicIpv4: string | null;
  /** A host address (not a network); null without one. */
  publicIpv6: string | null;
  privateIpv4: string | null;
  createdAt: Date;
  /** The firewalls that the provider tells with it, as `ensureFirewall` answers them. */
  firewalls: readonly string[];
  /** By which a list can be narrowed to the servers that were ordered at about the same time, where a provider can. */
  lookGroup?: string;
  /** What the labels or tags say; null when they are not ours or not complete. */
  owner: OwnerTag | null;
}

/** A server that someone waits for. */
export interface WaitingServer {
  serverId: string;
  createdAt: Date;
  /** As the provider answered it. */
  lookGroup?: string;
}

/** What is to be seen of waiting servers. */
export interface LookWish {
  /** Those that do not run yet may be left out, where that makes it cheaper. */
  runningOnly?: boolean;
}

/** What was seen of waiting servers. */
export interface Look {
  servers: CloudServer[];
  /** What it cost. */
  requests: number;
}

/** A public key that we put into the provider's project. */
export interface ProjectKey {
  name: string;
  /** One line in OpenSSH's format. */
  publicKey: string;
  /** The installation that it is labelled with, where the provider has labels for keys. */
  instanceId?: string;
}

/**
 * One cloud provider. Adapters translate and never decide: no retries, no polling, no state that outlives a call.
 * Every method throws `CloudError` and nothing else, and no error or log of an adapter ever holds the token.
 * The contract suite in `testing/` holds every adapter to this page.
 */
export interface CloudProvider {
  readonly type: ProviderType;
  /** For people, such as `Hetzner Cloud`. */
  readonly displayName: string;
  /** The provider's limit on user data in bytes, as sent on the wire. */
  readonly maxUserDataBytes: number;

  /** All types that can still be ordered somewhere, of all pages; deprecated ones are left out. */
  listServerTypes(): Promise<ServerType[]>;
  listLocations(): Promise<Location[]>;
  /** All images that can be ordered now, of all pages, those of the account included; no backups of servers. */
  listImages(): Promise<ServerImage[]>;

  /**
   * Orders one server and returns at once with what the provider answered; addresses may still be null.
   * Sent once: it never repeats the request by itself.
   * @throws CloudError `outcome-unknown` when the answer was lost: the server may exist
   * @throws CloudError `conflict` when the name is taken: look with `findByOwner`
   */
  create(spec: ServerSpec): Promise<CloudServer>;

  /** @throws CloudError `not-found`, which proves absence only while `hasSentinel` answers true */
  get(serverId: string): Promise<CloudServer>;

  /** Every server that carries this owner's labels or tags, oldest first. Right after a create it may not show yet. */
  findByOwner(owner: OwnerQuery, purpose?: RequestPurpose): Promise<CloudServer[]>;

  /**
   * The cheapest way to see the waiting servers, whatever else is in the project. The answer holds those that were seen,
   * and may lack some that exist: a server missing from it says nothing.
   */
  look(waiting: readonly WaitingServer[], wish?: LookWish): Promise<Look>;

  /** Every server that carries any installation's label of ours. For the sweep only. */
  listOwned(): AsyncIterable<CloudServer>;

  /**
   * Asks for the server's end; repeat until `gone`. `gone` means that the provider answered "not found", which proves
   * absence only while `hasSentinel` answers true.
   * @param purpose `delete` when absent
   * @throws CloudError `conflict` while something else is going on with the server: repeat later
   */
  destroy(serverId: string, purpose?: RequestPurpose): Promise<'deleting' | 'gone'>;

  /**
   * Makes sure the key is in the project, and answers its id. Idempotent, also beside other controllers. It is proof
   * that a token still sees the same project.
   */
  ensureSentinel(key: ProjectKey): Promise<string>;

  /** Whether the project that this token sees still holds the key with this id. */
  hasSentinel(sentinelId: string): Promise<boolean>;

  /** The SSH keys of the project, of all pages. Not to be asked often: DigitalOcean answers 10 times a minute. */
  listKeys(): Promise<SshKey[]>;

  /**
   * Makes sure that a caller's key is in the project, and answers its id. A key with the same content is taken as it
   * is, whatever its name. Idempotent, also beside other controllers.
   * @throws CloudError `invalid` when the provider takes no such key, `quota` when it takes no more
   */
  ensureKey(key: ProjectKey): Promise<string>;

  /**
   * Keys that may have been put there by `ensureKey`: those with our label, or all of the project where keys have no
   * labels. For the sweep only, and not to be asked often, as `listKeys`.
   */
  listManagedKeys(): Promise<ManagedKey[]>;

  /** Takes a key out of the project; servers that have it already keep it. One that is gone is fine. */
  removeKey(keyId: string): Promise<void>;

  /**
   * Makes sure that the firewall is in the project and is what the spec says: one that was changed by hand is put right.
   * Idempotent, also beside other controllers. Answers what an order names it by.
   * @throws CloudError `quota` when the provider takes no more, `invalid` when the name is another installation's
   */
  ensureFirewall(spec: FirewallSpec): Promise<string>;

  /** The firewalls of the project that may have been made by `ensureFirewall`, of any installation. For the sweep only. */
  listFirewalls(): Promise<ManagedFirewall[]>;

  /**
   * Takes a firewall out of the project; one that is gone is fine.
   * @param maySend as in `ServerSpec`: where firewalls go by a tag, nothing else keeps one that a server is about to get
   * @throws CloudError `conflict` while it stands before a server, where the provider looks
   */
  removeFirewall(firewallId: string, maySend?: () => boolean): Promise<void>;
}
