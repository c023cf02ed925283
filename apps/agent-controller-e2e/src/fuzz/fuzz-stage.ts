import { quiesce } from '../explore/healing';
import { lastingViolations } from '../invariant/lasting-violations';
import { Api } from '../support/api';
import { newKey } from '../support/api-keys';
import { Installation, type Controller } from '../support/controller-process';
import { freePort } from '../support/free-port';
import { until } from '../support/until';
import type { Caller } from './fuzz-request';
import { operationsOf, registeredRoutes, type OpenApiDocument, type Operation } from './operation';

/** Few at a time: orders are not what is tested, and the quota is met as well. */
const SERVERS = { MAX_SERVERS: '24', MAX_SERVERS_PER_OWNER: '10' };
const CLEAR_ROUNDS = 5;

/** An installation with one controller, callers of every role, and what the controller says of its routes. */
export class FuzzStage {
  readonly #keys: Record<Exclude<Caller, 'server'>, string>;
  readonly #serverTokens = new Map<string, string>();
  /** Client whose server never gets ready. */
  #waiting = '4711';

  private constructor(
    readonly installation: Installation,
    readonly controller: Controller,
    keys: Record<string, string>,
    readonly document: OpenApiDocument,
    readonly operations: Operation[],
  ) {
    this.#keys = { ...keys, nobody: '', stranger: 'x'.repeat(40) } as Record<Exclude<Caller, 'server'>, string>;
  }

  /** @param environment of the controller, besides what this needs */
  static async create(environment: Record<string, string> = {}): Promise<FuzzStage> {
    const installation = await Installation.create();
    const keys = {
      admin: newKey('root', 'admin'),
      alice: newKey('alice', 'operator'),
      bob: newKey('bob', 'operator'),
      viewer: newKey('alice', 'viewer'),
    };
    const port = await freePort();
    const controller = await installation.startController({
      ...{ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, SWEEP_INTERVAL_SECONDS: '10' },
      ...{
        API_KEYS: Object.values(keys)
          .map(({ entry }) => entry)
          .join(),
        LOG_LEVEL: 'debug',
        ...SERVERS,
      },
      ...environment,
    });
    const api = new Api(controller.url, keys.admin.key);
    const { body: document } = await api.get<OpenApiDocument>('/api/openapi.json');
    const secrets = Object.fromEntries(Object.entries(keys).map(([name, { key }]) => [name, key]));
    const operations = operationsOf(document, registeredRoutes(controller.log()));
    return new FuzzStage(installation, controller, secrets, document, operations);
  }

  /** @param path of the call; a server's token is that of the provisioning in it */
  authorization(caller: Caller, path: string): Record<string, string> {
    if (caller === 'nobody') return {};
    const provisioning = /[0-9a-f-]{36}/i.exec(path)?.[0].toLowerCase() ?? '';
    const key = caller === 'server' ? this.#serverTokens.get(provisioning) : this.#keys[caller];
    return { authorization: `Bearer ${key ?? 'unknown'}` };
  }

  /** Provisionings whose servers may report now. */
  async reporting(): Promise<string[]> {
    this.#serverTokens.clear();
    for (const { userData, files } of await this.installation.emulator.servers()) {
      const text = `${files.map(({ content }) => content).join('\n')}\n${userData}`;
      const [, id] = /\/api\/provisioning\/(?:callbacks|bootstrap)\/([0-9a-f-]{36})/.exec(text) ?? [];
      const token = /(?<=Bearer )[\w-]+/.exec(text)?.[0];
      if (id && token) this.#serverTokens.set(id, token);
    }
    return [...this.#serverTokens.keys()];
  }

  get admin(): Api {
    return new Api(this.controller.url, this.#keys.admin).within(30_000);
  }

  /** Sees to it that every route has something that it can be asked for. */
  async prepare(): Promise<void> {
    await this.refill();
    const kept = await this.admin.get(`/api/clients/${this.#waiting}/provisioning/info`);
    const trouble = { provider: 'hetzner', method: 'POST', times: 1 };
    if (kept.status !== 200) {
      // Its server never speaks: its tokens stay good.
      await this.installation.emulator.addFault({ ...trouble, bootFailure: true });
      const order = { providerType: 'hetzner', serverType: 'cx33', authenticationType: 'api_key' };
      const { body } = await this.admin.post<{ id: string }>('/api/clients/provisioning/provision', order);
      this.#waiting = body.id;
    }
    // One of the next orders, to be retried.
    await this.installation.emulator.addFault({ ...trouble, installFailure: { stage: 'docker', cause: 'By order' } });
  }

  /** The providers' limits are not what is tested. */
  private async refill(): Promise<void> {
    await this.installation.emulator.setBudget('hetzner', 3_600);
    await this.installation.emulator.setBudget('digitalocean', 5_000);
  }

  /**
   * Deletes everything as its owners could, and looks whether anything is left.
   * @returns what is wrong
   */
  async clear(): Promise<string[]> {
    const fleet = { checkNobodyFell: () => this.checkAlive(), log: () => this.controller.log().slice(-5_000) };
    const settling = { installation: this.installation, fleet };
    await this.installation.emulator.clearFaults();
    for (let round = 0; ; round++) {
      const clients = await this.installation.query<{ id: string; provisioned: boolean }>(
        'SELECT id, is_auto_provisioned AS provisioned FROM clients',
      );
      if (clients.length === 0) break;
      if (round > CLEAR_ROUNDS) return [`clients cannot be deleted: ${JSON.stringify(clients)}`];
      for (const { id, provisioned } of clients) await this.delete(id, provisioned);
      await quiesce(settling, (open) => open.every(({ phase }) => phase === 'failed'));
    }
    await this.destroyAbandoned();
    const servers = await until(
      () => this.installation.emulator.servers(),
      (left) => left.every(({ life }) => life === 'deleting'),
      30_000,
    );
    const left = servers
      .filter(({ life }) => life !== 'deleting')
      .map(({ id, name }) => `server ${name} (${id}) is left`);
    return [...left, ...(await lastingViolations({ installation: this.installation }))];
  }

  private async delete(id: string, isProvisioned: boolean): Promise<void> {
    await this.admin.patch(`/api/clients/${id}`, { protected: false });
    await this.admin.delete(`/api/clients/${id}${isProvisioned ? '/provisioning' : ''}`);
  }

  /** What was given up is for a person to delete; here that is this. */
  private async destroyAbandoned(): Promise<void> {
    const abandoned = await this.installation.query<{ provider: string; id: string }>(
      'SELECT provider_type AS provider, server_id AS id FROM abandoned_servers WHERE server_id IS NOT NULL',
    );
    for (const { provider, id } of abandoned) await this.installation.emulator.removeServer(provider, id);
  }

  /** @throws Error with its last words */
  checkAlive(): void {
    if (!this.controller.isRunning) throw new Error(`The controller ended: ${this.controller.log().slice(-5_000)}`);
  }

  async dispose(): Promise<void> {
    await this.installation.dispose();
  }
}
