export function emulatorUrl(): string {
  const url = process.env.TEST_EMULATOR_URL;
  if (!url) throw new Error('TEST_EMULATOR_URL comes from the global set-up');
  return url;
}

/** `down`: its proxy answers 502; `refuses-credentials`: it is healthy, and refuses every key. */
export type AgentState = 'up' | 'down' | 'refuses-credentials';

export interface EmulatedServerView {
  id: string;
  provider: string;
  /** In the project that its token sees only while it is made to see another than its own. */
  isElsewhere: boolean;
  name: string;
  address: string;
  image: string;
  labels: Record<string, string>;
  tags: string[];
  sshKeyIds: number[];
  firewalls: EmulatedFirewallView[];
  /** Names of those that stood before it from its first moment. */
  firewallsAtOrder: string[];
  life: string;
  stage: string;
  problem: string | null;
  agentState: AgentState;
  /** As `GET /.well-known/agent-controller/status` of that server answers; null before its bootstrap has begun. */
  statusDocument: { seq: number; state: string; stage: string } | null;
  /** Callbacks that it sent: the status of the answer, or why there was none. */
  reports: { seq: number; outcome: string }[];
  /** As the provider got it with the order. */
  userData: string;
  /** Of the user data, and fetched by the server itself. */
  files: { path: string; permissions: string; content: string }[];
  agentEnvironment: Record<string, string> | null;
  postgresEnvironment: Record<string, string> | null;
  cost: { monthly: number; currency: string };
}

/** As it was sent, whatever the provider. */
export interface EmulatedFirewallView {
  id: string;
  name: string;
  inbound: { protocol: string; port: string; sources: string[] }[];
}

/** A server that was ordered once; `deletedAt` is when it really ended. */
export interface EmulatedHistoryView {
  id: string;
  provider: string;
  name: string;
  labels: Record<string, string>;
  tags: string[];
  orderedAt: string;
  deletedAt: string | null;
  /** Until when a fault hid it from every answer. */
  hiddenUntil: string | null;
}

export interface EmulatedKeyView {
  id: number;
  name: string;
  public_key: string;
  labels?: Record<string, string>;
}

/** The cloud emulator's admin API, narrowed to one token. */
export class EmulatorAdmin {
  constructor(private readonly token: string) {}

  async servers(): Promise<EmulatedServerView[]> {
    const response = await fetch(`${emulatorUrl()}/admin/servers?token=${this.token}`);
    return (await response.json()) as EmulatedServerView[];
  }

  /**
   * Of the servers that their provider still shows. A droplet answers 404 from the moment in which its deletion was
   * asked for, while the machine may still be ending.
   */
  async serverNames(): Promise<string[]> {
    const servers = await this.servers();
    return servers
      .filter(({ provider, life }) => provider === 'hetzner' || life !== 'deleting')
      .map(({ name }) => name);
  }

  async firewalls(): Promise<EmulatedFirewallView[]> {
    const response = await fetch(`${emulatorUrl()}/admin/firewalls?token=${this.token}`);
    return (await response.json()) as EmulatedFirewallView[];
  }

  /** As a person would by the provider's console. */
  async removeFirewalls(provider: 'hetzner' | 'digital-ocean'): Promise<void> {
    const url = `${emulatorUrl()}${{ hetzner: '/hetzner/v1', 'digital-ocean': '/digitalocean/v2' }[provider]}/firewalls`;
    const headers = { authorization: `Bearer ${this.token}` };
    const { firewalls } = (await (await fetch(url, { headers })).json()) as { firewalls: { id: string | number }[] };
    for (const { id } of firewalls) await fetch(`${url}/${id}`, { method: 'DELETE', headers });
  }

  async history(): Promise<EmulatedHistoryView[]> {
    const response = await fetch(`${emulatorUrl()}/admin/history?token=${this.token}`);
    return (await response.json()) as EmulatedHistoryView[];
  }

  async requests(): Promise<{ at: string; method: string; path: string; status: number }[]> {
    const response = await fetch(`${emulatorUrl()}/admin/requests?token=${this.token}`);
    return (await response.json()) as { at: string; method: string; path: string; status: number }[];
  }

  /** The project's SSH keys, as the provider's own API tells them. */
  async sshKeys(provider: 'hetzner' | 'digital-ocean'): Promise<EmulatedKeyView[]> {
    const answer = await this.callKeys(provider, 'GET');
    return ((await answer.json()) as { ssh_keys: EmulatedKeyView[] }).ssh_keys;
  }

  /** Puts a key into the project, as its owner would by the provider's console. */
  async addSshKey(provider: 'hetzner' | 'digital-ocean', name: string, publicKey: string): Promise<number> {
    const answer = await this.callKeys(provider, 'POST', { name, public_key: publicKey });
    return ((await answer.json()) as { ssh_key: EmulatedKeyView }).ssh_key.id;
  }

  private callKeys(provider: 'hetzner' | 'digital-ocean', method: string, body?: object): Promise<Response> {
    const path = { hetzner: '/hetzner/v1/ssh_keys', 'digital-ocean': '/digitalocean/v2/account/keys' }[provider];
    return fetch(emulatorUrl() + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
  }

  /** As in the emulator's README, such as `{ method: 'POST', times: 1, installFailure: { stage, cause } }`. */
  async addFault(fault: Record<string, unknown>): Promise<void> {
    const response = await fetch(`${emulatorUrl()}/admin/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...fault, token: this.token }),
    });
    if (response.status !== 201) throw new Error(`The emulator refuses the fault: ${await response.text()}`);
  }

  /** As a person would by the provider's console; nobody tells the controller. */
  async removeServer(provider: string, serverId: string): Promise<void> {
    const path = provider === 'hetzner' ? '/hetzner/v1/servers' : '/digitalocean/v2/droplets';
    await fetch(`${emulatorUrl()}${path}/${serverId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${this.token}` },
    });
  }

  async clearFaults(): Promise<void> {
    await fetch(`${emulatorUrl()}/admin/faults?token=${this.token}`, { method: 'DELETE' });
  }

  /** From now on, by the id that the provider gave the server. */
  async setAgent(serverId: string, state: AgentState): Promise<void> {
    const response = await fetch(`${emulatorUrl()}/admin/servers/${serverId}/agent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ state }),
    });
    if (!response.ok) throw new Error(`The emulator refuses the state: ${await response.text()}`);
  }

  setTokenRevoked(value: boolean): Promise<void> {
    return this.setToken('revoke', value);
  }

  /** `elsewhere`: the token sees another project than its own. */
  async setToken(trouble: 'revoke' | 'readonly' | 'elsewhere', value: boolean): Promise<void> {
    await fetch(`${emulatorUrl()}/admin/tokens/${trouble}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: this.token, value }),
    });
  }

  /** How many requests of an hour are left to this token; it refills from there. */
  async setBudget(provider: 'hetzner' | 'digitalocean', remaining: number): Promise<void> {
    const response = await fetch(`${emulatorUrl()}/admin/tokens/budget`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider, token: this.token, remaining: Math.round(remaining) }),
    });
    if (!response.ok) throw new Error(`The emulator refuses the budget: ${await response.text()}`);
  }

  /** Of the whole emulator: only where it serves nobody else. */
  async changeSettings(changes: Record<string, number>): Promise<void> {
    const response = await fetch(`${emulatorUrl()}/admin/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(changes),
    });
    if (!response.ok) throw new Error(`The emulator refuses the settings: ${await response.text()}`);
  }

  async registerKeycloakClient(client: { realm: string; clientId: string; secret: string }): Promise<void> {
    await fetch(`${emulatorUrl()}/admin/keycloak/clients`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(client),
    });
  }
}
