import type { AxiosInstance } from 'axios';
import { createApiClient } from 'dots-wrapper';
import { Client } from 'hcloud-js';
import { startEmulator, type RunningEmulator } from './cloud-emulator';

const SPEED = { bootMs: 1, installMs: 1, startMs: 1, deleteMs: 1, listLagMs: 0 };

export const SERVER_ORDER = { name: 'one', server_type: 'cx33', location: 'nbg1', image: 'debian-13' };
export const DROPLET_ORDER = { name: 'one', region: 'fra1', size: 's-1vcpu-2gb', image: 'debian-13-x64' };
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM test';

export interface AdminServer {
  id: string;
  provider: string;
  name: string;
  life: string;
  stage: string;
  problem: string | null;
  address: string;
  agentState: string;
  statusDocument: { seq: number; state: string } | null;
  reports: { seq: number; outcome: string }[];
  cost: { monthly: number; currency: string };
}

export interface Outcome {
  status: number;
  data: unknown;
}

/** An emulator of its own with servers that boot at once, and the real clients for it. */
export class EmulatedCloud {
  /** Names a project at each provider; every test takes a new one. */
  token = 'token-0';
  #tokens = 0;

  private constructor(private readonly emulator: RunningEmulator) {}

  static async start(): Promise<EmulatedCloud> {
    return new EmulatedCloud(await startEmulator(SPEED));
  }

  get url(): string {
    return this.emulator.url;
  }

  close(): Promise<void> {
    return this.emulator.close();
  }

  newToken(): void {
    this.token = `token-${++this.#tokens}`;
  }

  /** The transport of hcloud-js; answers of any status are answers here. */
  hetzner(token = this.token): AxiosInstance {
    const { axios } = new Client({ token, baseURL: `${this.url}/hetzner/v1`, timeout: 5_000 });
    axios.defaults.validateStatus = null;
    return axios;
  }

  digitalOcean(token = this.token): ReturnType<typeof createApiClient> {
    return createApiClient({ token, endpoint: `${this.url}/digitalocean/v2`, requestTimeoutInMs: 5_000 });
  }

  droplets(token = this.token) {
    return this.digitalOcean(token).droplet.listDroplets({ per_page: 200 });
  }

  /** Of the servers that Hetzner lists. */
  async names(token = this.token): Promise<string[]> {
    const { data } = await this.hetzner(token).get('/servers');
    return (data as { servers: { name: string }[] }).servers.map(({ name }) => name);
  }

  async servers(): Promise<AdminServer[]> {
    return (await (await this.admin('GET', `/servers?token=${this.token}`)).json()) as AdminServer[];
  }

  admin(method: string, path: string, body?: object): Promise<Response> {
    const sent = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return fetch(`${this.url}/admin${path}`, { method, ...sent });
  }

  /** For the token of this test, and once unless it says otherwise. */
  async addFault(fault: object): Promise<void> {
    const response = await this.admin('POST', '/faults', { token: this.token, times: 1, ...fault });
    if (response.status !== 201) throw new Error(`The fault was refused: ${await response.text()}`);
  }
}

/** Of a call by dots-wrapper, which rejects what is not 2xx; status 0 when there was no answer. */
export async function outcome(call: Promise<Outcome>): Promise<Outcome> {
  try {
    const { status, data } = await call;
    return { status, data };
  } catch (error) {
    const { response } = error as { response?: Outcome };
    return { status: response?.status ?? 0, data: response?.data };
  }
}
