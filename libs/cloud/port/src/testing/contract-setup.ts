import { randomUUID } from 'node:crypto';
import { Secret } from '@agent-controller/kernel';
import type { CloudProvider, CloudServer, OwnerTag, ServerSpec } from '../cloud-provider';
import { firewallName, type FirewallSpec } from '../firewall';
import { serverName } from '../owner-name';
import { eventually } from './eventually';
import type { OpenapiSource } from './openapi-checker';
import { RecordingProxy } from './recording-proxy';

/** What the contract suite must know about an adapter. */
export interface ContractSetup {
  /** The emulator's path of this API, such as `/hetzner/v1`. */
  apiPath: string;
  /** An image that the provider has. */
  image: string;
  /** The provider's image with Docker. */
  dockerImage: string;
  /** Id of an image of the account itself: the emulator has one in each project. */
  ownImage: string;
  /** Whether a second server of the same name is refused. */
  uniqueNames: boolean;
  openapi: OpenapiSource;
  createProvider(options: { token: Secret; baseUrl: string; timeoutMs?: number }): CloudProvider;
}

/** Made with `ssh-keygen -t ed25519`; the private key is nowhere. */
const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM contract';

const CALLERS_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+VVuCyUMHonAvHCrFx2WFphuhyq5A7S+N6Nls5vwUp caller';

/** Between the adapter and the emulator, with a project of its own for every test. */
export class ContractContext {
  proxy!: RecordingProxy;
  token = '';
  provider!: CloudProvider;
  readonly key = { name: 'agent-controller-contract', publicKey: PUBLIC_KEY };

  constructor(readonly setup: ContractSetup) {
    beforeAll(async () => {
      const { TEST_EMULATOR_URL: emulator } = process.env;
      if (!emulator) throw new Error('TEST_EMULATOR_URL is missing: it says where the cloud emulator listens');
      this.proxy = await RecordingProxy.start(emulator.replace(/\/$/, ''));
    });
    afterAll(() => this.proxy?.close());
    beforeEach(() => {
      this.token = `contract-${randomUUID()}`;
      this.provider = this.providerWith(this.token);
    });
    afterEach(() => this.destroyAll());
  }

  /** Another key than the sentinel. */
  readonly callersKey = { name: 'contract-caller', publicKey: CALLERS_KEY, instanceId: randomUUID() };

  /** The API's port from anywhere, and another one from some places. */
  firewall(instanceId: string, port = 8080): FirewallSpec {
    const inbound = [
      { port: 3000, sources: ['0.0.0.0/0', '::/0'] },
      { port, sources: ['192.0.2.0/24', '2001:db8::/32'] },
    ];
    return { name: firewallName(instanceId, inbound), instanceId, inbound };
  }

  /** A token is a project of the emulator. */
  providerWith(token: string, baseUrl = this.proxy.url + this.setup.apiPath): CloudProvider {
    return this.setup.createProvider({ token: new Secret(token), baseUrl, timeoutMs: 10_000 });
  }

  /** The cheapest order that the catalogue allows. */
  async order(owner: OwnerTag = newOwner(), name = serverName('contract', owner)): Promise<ServerSpec> {
    const types = (await this.provider.listServerTypes()).sort((a, b) => a.priceMonthly - b.priceMonthly);
    const type = types.find(({ architecture, locations }) => architecture === 'x86' && locations.some(isAvailable));
    const location = type?.locations.find(isAvailable);
    if (!type || !location) throw new Error('The catalogue has nothing that could be ordered');
    return {
      owner,
      name,
      serverType: type.id,
      location: location.id,
      image: this.setup.image,
      userData: '#cloud-config\nhostname: contract\n',
      sshKeyIds: [await this.provider.ensureSentinel(this.key)],
      firewall: await this.provider.ensureFirewall(this.firewall(owner.instanceId)),
    };
  }

  async create(owner?: OwnerTag): Promise<CloudServer> {
    return this.provider.create(await this.order(owner));
  }

  owned(): Promise<CloudServer[]> {
    return all(this.provider.listOwned());
  }

  private async destroyAll(): Promise<void> {
    await eventually(async () => {
      const servers = await this.owned();
      await Promise.all(servers.map(({ id }) => this.provider.destroy(id).catch(() => 'busy')));
      return servers.length === 0;
    });
  }
}

export function newOwner(): OwnerTag {
  return { instanceId: randomUUID(), provisioningId: randomUUID(), attempt: 1 };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const isAvailable = ({ available }: { available: boolean }) => available;
