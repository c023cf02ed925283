import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Keycloak } from '../keycloak';
import type { Settings } from '../settings';
import { AgentManager } from './agent-manager';
import { readUserData, type WrittenFile } from './cloud-init';
import { plan, type Deployment, type PublishedSite } from './deployment';

export interface ServerOrder {
  userData: string;
  acceptsBase64: boolean;
  address: string;
  /** The provider says that it runs, but nothing on it ever answers. */
  bootFails: boolean;
}

export type Life = 'booting' | 'running' | 'deleting';

/** One server from power on to its end: boots, does with the user data what cloud-init would, and then answers. */
export class EmulatedServer {
  life: Life = 'booting';
  /** What a person would find on the machine; null while nothing is wrong. */
  problem: string | null = null;
  stage: 'boot' | 'install' | 'proxy' | 'agent' = 'boot';
  files: WrittenFile[] = [];
  deployment: Deployment | null = null;
  #root?: string;
  #listeners: Server[] = [];
  #agent?: AgentManager;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    readonly order: ServerOrder,
    private readonly keycloak: Keycloak,
    private readonly log: (message: string) => void,
  ) {}

  start({ bootMs, installMs, startMs }: Settings): void {
    this.after(bootMs, () => {
      this.life = 'running';
      this.log('runs');
      if (this.order.bootFails) return this.fail('the boot failed by order of the admin API');
      this.stage = 'install';
      this.after(installMs, () => void this.install(startMs));
    });
  }

  async stop(): Promise<void> {
    this.life = 'deleting';
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(
      this.#listeners.map((listener) => {
        listener.closeAllConnections();
        return new Promise((resolve) => listener.close(resolve));
      }),
    );
    if (this.#root) rmSync(this.#root, { recursive: true, force: true });
  }

  private async install(startMs: number): Promise<void> {
    try {
      const { order } = this;
      const config = readUserData(order.userData, order.acceptsBase64);
      this.files = config.files;
      await this.write(config.files);
      this.deployment = plan(config);
      await Promise.all(this.deployment.sites.map((site) => this.listen(site)));
    } catch (error) {
      return this.fail((error as Error).message);
    }
    if (this.life === 'deleting') return this.stop();
    this.stage = 'proxy';
    this.log(`the proxy answers at ${this.order.address}`);
    const { agentProblem, agentEnvironment } = this.deployment;
    if (agentProblem) return this.fail(agentProblem);
    this.after(startMs, () => {
      this.#agent = new AgentManager(agentEnvironment, this.keycloak);
      this.stage = 'agent';
      this.log('the agent-manager is healthy');
    });
  }

  /** As cloud-init does, below a folder of its own. */
  private async write(files: WrittenFile[]): Promise<void> {
    this.#root = mkdtempSync(join(tmpdir(), 'cloud-emulator-server-'));
    for (const { path, content, permissions } of files) {
      const target = join(this.#root, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content, { mode: parseInt(permissions, 8) });
    }
  }

  private listen({ port, certificate, key, upstream }: PublishedSite): Promise<void> {
    const listener = createServer({ cert: certificate, key }, (request, response) => {
      if (!this.#agent || upstream === 'none') return void response.writeHead(502).end();
      if (upstream === 'api') return this.#agent.handle(request, response);
      response.writeHead(200, { 'content-type': 'text/plain' }).end('0{"sid":"emulated","upgrades":[]}');
    });
    listener.on('tlsClientError', () => undefined);
    this.#listeners.push(listener);
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, this.order.address, resolve);
    });
  }

  private fail(problem: string): void {
    this.problem = problem;
    this.log(problem);
  }

  private after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
