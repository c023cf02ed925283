import { Keycloak } from './keycloak';
import { Project, tokenHash, type ProviderName, type ServerRecord } from './project';
import { AddressPool } from './server/address-pool';
import { EmulatedServer, type ServerOrder } from './server/emulated-server';
import { DEFAULT_SETTINGS, type Settings } from './settings';

const BUDGET: Record<ProviderName, number> = { hetzner: 3_600, digitalocean: 5_000 };

export interface RequestRecord {
  at: string;
  provider: ProviderName;
  tokenHash: string;
  method: string;
  path: string;
  status: number;
}

/** Everything the emulator knows, in memory. */
export class World {
  readonly keycloak = new Keycloak();
  readonly requests: RequestRecord[] = [];
  readonly revoked = new Set<string>();
  readonly readOnly = new Set<string>();
  readonly settings: Settings;
  readonly #projects = new Map<string, Project>();
  readonly #addresses = new AddressPool();
  #nextId = 1_000_000 + Math.floor(Math.random() * 1_000_000);

  constructor(
    settings: Partial<Settings>,
    readonly log: (message: string) => void,
  ) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Every token is a project of its own. */
  project(provider: ProviderName, token: string): Project {
    const key = `${provider} ${token}`;
    const known = this.#projects.get(key);
    if (known) return known;
    const project = new Project(provider, tokenHash(token), BUDGET[provider]);
    this.#projects.set(key, project);
    return project;
  }

  projects(): Project[] {
    return [...this.#projects.values()];
  }

  createServer(
    project: Project,
    facts: Omit<ServerRecord, 'id' | 'createdAt' | 'address' | 'privateAddress' | 'machine'>,
    order: Omit<ServerOrder, 'address'>,
  ): ServerRecord {
    const id = this.nextId();
    const address = this.#addresses.take();
    const log = (message: string) => this.log(`${project.provider} server ${facts.name} (${id}): ${message}`);
    const machine = new EmulatedServer({ ...order, address }, this.keycloak, log);
    const privateAddress = `10.${(id >> 16) & 255}.${(id >> 8) & 255}.${id & 255}`;
    const record = { ...facts, id, createdAt: new Date(), address, privateAddress, machine };
    project.servers.set(id, record);
    log(`ordered, boots at ${address}`);
    machine.start(this.settings);
    return record;
  }

  /** Stops answering at once; "not found" comes a little later. */
  deleteServer(project: Project, record: ServerRecord): void {
    if (record.machine.life === 'deleting') return;
    this.log(`${project.provider} server ${record.name} (${record.id}): deleted`);
    void record.machine.stop().then(() => this.#addresses.release(record.address));
    setTimeout(() => project.servers.delete(record.id), this.settings.deleteMs).unref();
  }

  async close(): Promise<void> {
    for (const project of this.projects()) {
      for (const { machine, address } of project.servers.values()) {
        await machine.stop();
        this.#addresses.release(address);
      }
    }
  }
}
