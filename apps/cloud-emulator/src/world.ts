import type { Fault } from './faults';
import { admits, firewallsOf } from './firewall';
import { Keycloak } from './keycloak';
import { Project, tokenHash, type ActionRecord, type ProviderName, type ServerRecord } from './project';
import { AddressPool } from './server/address-pool';
import { EmulatedServer } from './server/emulated-server';
import type { Machine, ServerOrder } from './server/machine';
import { StillMachine } from './server/still-machine';
import { DEFAULT_SETTINGS, type Settings } from './settings';

/** That the pool never gives. */
const NOBODYS_ADDRESS = '127.20.255.255';
const MAX_HISTORY = 20_000;
const BUDGET: Record<ProviderName, number> = { hetzner: 3_600, digitalocean: 5_000 };

export interface RequestRecord {
  at: string;
  provider: ProviderName;
  tokenHash: string;
  method: string;
  path: string;
  /** Of the answer, also of one that was dropped. */
  status: number;
  isDropped: boolean;
}

/** What became of a server that was ordered: kept when it is gone. */
export interface ServerHistory {
  id: string;
  provider: ProviderName;
  tokenHash: string;
  name: string;
  labels: Record<string, string>;
  tags: string[];
  orderedAt: string;
  /** When it really ended. */
  deletedAt: string | null;
  /** Until when a fault hid it from every answer. */
  hiddenUntil: string | null;
}

export type ServerFacts = Omit<
  ServerRecord,
  | 'id'
  | 'createdAt'
  | 'firewallsAtOrder'
  | 'isVanished'
  | 'hiddenUntil'
  | 'unlistedUntil'
  | 'address'
  | 'privateAddress'
  | 'machine'
>;

/** What a server keeps when the emulator is started again. */
export type ServerIdentity = Pick<ServerRecord, 'id' | 'createdAt' | 'address'>;

/** What a machine is made of that is not played here. */
export interface Blueprint {
  id: number;
  name: string;
  provider: ProviderName;
  locationId: string;
  publicKeys: string[];
  order: ServerOrder;
  log: (message: string) => void;
}

/** Everything the emulator knows, in memory. */
export class World {
  readonly keycloak = new Keycloak();
  readonly requests: RequestRecord[] = [];
  readonly history: ServerHistory[] = [];
  readonly revoked = new Set<string>();
  readonly readOnly = new Set<string>();
  /** Tokens that see another project than their own. */
  readonly elsewhere = new Set<string>();
  readonly settings: Settings;
  readonly #projects = new Map<string, Project>();
  readonly #addresses = new AddressPool();
  /** Machines that are not in a project any more may still be stopping. */
  readonly #ending = new Set<Promise<void>>();
  #nextId = 1_000_000 + Math.floor(Math.random() * 1_000_000);

  constructor(
    settings: Partial<Settings>,
    readonly log: (message: string) => void,
    /** Without it, servers are played by this process. */
    private readonly makeMachine?: (blueprint: Blueprint) => Machine,
  ) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Every token is a project of its own. What it sees by mistake has its name too, and a word that no token has. */
  project(provider: ProviderName, token: string): Project {
    const key = `${provider} ${token}`;
    const known = this.#projects.get(key);
    if (known) return known;
    const [own = '', ...more] = token.split(' ');
    const project = new Project(provider, tokenHash(own), BUDGET[provider], more.length > 0);
    this.#projects.set(key, project);
    return project;
  }

  /** The one that the token sees now. */
  visibleProject(provider: ProviderName, token: string): Project {
    return this.project(provider, this.elsewhere.has(token) ? `${token} elsewhere` : token);
  }

  /** With their tokens, to be kept for the next start. */
  tokens(): { provider: ProviderName; token: string; project: Project }[] {
    return [...this.#projects].map(([key, project]) => ({
      provider: project.provider,
      token: key.slice(project.provider.length + 1),
      project,
    }));
  }

  projects(): Project[] {
    return [...this.#projects.values()];
  }

  /** @param kept of a server that was made before: it boots again as it was */
  createServer(
    project: Project,
    facts: ServerFacts,
    order: Omit<ServerOrder, 'address'>,
    kept?: ServerIdentity,
  ): ServerRecord {
    const id = kept?.id ?? this.nextId();
    const address = this.#addresses.take(kept?.address);
    const log = (message: string) => this.log(`${project.provider} server ${facts.name} (${id}): ${message}`);
    const publicKeys = facts.sshKeyIds.flatMap((key) => project.keys.get(key)?.publicKey ?? []);
    const { name, locationId } = facts;
    const blueprint = {
      id,
      name,
      locationId,
      publicKeys,
      provider: project.provider,
      order: { ...order, address },
      log,
    };
    const isAdmitted = (port: number, from: string) => {
      const server = project.servers.get(id);
      return server !== undefined && admits(project, server, port, from);
    };
    const machine =
      this.makeMachine?.(blueprint) ?? new EmulatedServer(blueprint.order, this.keycloak, log, isAdmitted);
    const privateAddress = `10.${(id >> 16) & 255}.${(id >> 8) & 255}.${id & 255}`;
    const record = {
      ...facts,
      id,
      createdAt: kept?.createdAt ?? new Date(),
      firewallsAtOrder: firewallsOf(project, { ...facts, id }).map((firewall) => firewall.name),
      isVanished: false,
      address,
      privateAddress,
      machine,
    };
    project.servers.set(id, record);
    this.remember(project, record);
    log(`ordered, boots at ${address}`);
    machine.start(this.settings);
    return record;
  }

  /** As many more as a server, with its labels and tags, that only run: what a long list is made of. */
  addStillServers(project: Project, like: ServerRecord, count: number): void {
    const order = { ...like.machine.order, userData: '', address: NOBODYS_ADDRESS };
    for (let made = 0; made < count; made++) {
      const id = this.nextId();
      const facts = { id, name: `${like.name}-${id}`, address: NOBODYS_ADDRESS };
      project.servers.set(id, { ...like, ...facts, machine: new StillMachine(order) });
    }
  }

  /** What a fault does to when an ordered server, or one that is said to be deleted, is seen. */
  hide(record: ServerRecord, fault: Fault | undefined): void {
    if (fault?.lagMs !== undefined) record.unlistedUntil = Date.now() + fault.lagMs;
    if (fault?.hiddenMs === undefined) return;
    record.hiddenUntil = Date.now() + fault.hiddenMs;
    const past = this.past(record.id);
    if (past) past.hiddenUntil = new Date(record.hiddenUntil).toISOString();
  }

  /** Something that the provider began with a server just now. */
  addAction(project: Project, command: string, server: ServerRecord, state: ActionRecord['state']): ActionRecord {
    const action = { id: this.nextId(), command, server, startedAt: new Date(), state };
    project.actions.set(action.id, action);
    return action;
  }

  /** Stops answering at once, and "not found" comes a little later; a fault may have it otherwise. */
  deleteServer(project: Project, record: ServerRecord, fault?: Fault): void {
    if (record.machine.life === 'deleting') return;
    if (fault?.hiddenMs !== undefined) {
      this.hide(record, fault);
      return this.log(`${project.provider} server ${record.name} (${record.id}): only said to be deleted`);
    }
    if (fault?.effectAfterMs !== undefined) {
      setTimeout(() => this.deleteServer(project, record), fault.effectAfterMs).unref();
      return;
    }
    if (fault?.lagMs !== undefined) project.linger(record, Date.now() + fault.lagMs);
    this.log(`${project.provider} server ${record.name} (${record.id}): deleted`);
    this.end(record);
    setTimeout(() => project.servers.delete(record.id), this.settings.deleteMs).unref();
  }

  /** An order that was accepted, and then could not be placed: the server does not exist. */
  vanish(project: Project, record: ServerRecord): void {
    this.log(`${project.provider} server ${record.name} (${record.id}): vanishes by order of the admin API`);
    record.isVanished = true;
    this.end(record);
    project.servers.delete(record.id);
  }

  private remember({ provider, tokenHash: hash }: Project, { id, name, labels, tags, createdAt }: ServerRecord): void {
    this.history.push({
      id: String(id),
      provider,
      tokenHash: hash,
      name,
      labels,
      tags,
      orderedAt: createdAt.toISOString(),
      deletedAt: null,
      hiddenUntil: null,
    });
    if (this.history.length > MAX_HISTORY) this.history.shift();
  }

  private past(id: number): ServerHistory | undefined {
    return this.history.find((each) => each.id === String(id));
  }

  private end({ id, machine, address }: ServerRecord): void {
    const past = this.past(id);
    if (past) past.deletedAt = new Date().toISOString();
    const ended = machine.stop().then(() => {
      this.#addresses.release(address);
      this.#ending.delete(ended);
    });
    this.#ending.add(ended);
  }

  async close(): Promise<void> {
    for (const project of this.projects()) {
      for (const { machine, address } of project.servers.values()) {
        await machine.stop();
        this.#addresses.release(address);
      }
    }
    await Promise.all(this.#ending);
  }
}
