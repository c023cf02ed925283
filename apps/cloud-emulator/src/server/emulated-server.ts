import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Keycloak } from '../keycloak';
import type { Settings } from '../settings';
import { AgentManager } from './agent-manager';
import { readUserData, type WrittenFile } from './cloud-init';
import { plan, type Deployment, type PublishedSite } from './deployment';
import type { Life, Machine, ServerOrder } from './machine';
import { ProxyListener } from './proxy-listener';

/** One server from power on to its end: boots, does with the user data what cloud-init would, and then answers. */
export class EmulatedServer implements Machine {
  life: Life = 'booting';
  /** What a person would find on the machine; null while nothing is wrong. */
  problem: string | null = null;
  stage: 'boot' | 'install' | 'proxy' | 'agent' = 'boot';
  files: WrittenFile[] = [];
  deployment: Deployment | null = null;
  /** The folder that stands for the machine's root while there is one. */
  root: string | null = null;
  #installing: Promise<void> = Promise.resolve();
  #stopping?: Promise<void>;
  #listeners: ProxyListener[] = [];
  #agent?: AgentManager;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    readonly order: ServerOrder,
    private readonly keycloak: Keycloak,
    private readonly log: (message: string) => void,
  ) {}

  /** Life, stage and problem in one word. */
  get phase(): 'booting' | 'installing' | 'starting' | 'healthy' | 'broken' | 'deleting' {
    if (this.life === 'deleting') return 'deleting';
    if (this.problem !== null) return 'broken';
    return ({ boot: 'booting', install: 'installing', proxy: 'starting', agent: 'healthy' } as const)[this.stage];
  }

  /** What is asked at one of its ports, and where that is answered: only elsewhere on systems other than Linux. */
  get endpoints(): Record<number, string> {
    return Object.fromEntries(this.#listeners.map(({ port, endpoint }) => [port, endpoint]));
  }

  start({ bootMs, installMs, startMs }: Settings): void {
    this.after(bootMs, () => {
      this.life = 'running';
      this.log('runs');
      if (this.order.bootFails) return this.fail('the boot failed by order of the admin API');
      this.stage = 'install';
      this.after(installMs, () => {
        this.#installing = this.install(startMs);
      });
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.end();
    return this.#stopping;
  }

  private async end(): Promise<void> {
    this.life = 'deleting';
    for (const timer of this.#timers) clearTimeout(timer);
    // It sees that the server ends, and opens nothing more.
    await this.#installing;
    await this.closeListeners();
    if (this.root) await rm(this.root, { recursive: true, force: true });
    this.root = null;
  }

  private async install(startMs: number): Promise<void> {
    try {
      const { order } = this;
      const config = readUserData(order.userData, order.acceptsBase64);
      this.files = config.files;
      await this.write(config.files);
      this.deployment = plan(config);
      for (const site of this.deployment.sites) await this.listen(site);
    } catch (error) {
      await this.closeListeners();
      return this.fail((error as Error).message);
    }
    if (this.isEnding()) return;
    this.stage = 'proxy';
    this.log(`the proxy answers at ${Object.values(this.endpoints).join(' and ')}`);
    const { agentProblem, agentEnvironment } = this.deployment;
    if (agentProblem) return this.fail(agentProblem);
    this.after(startMs, () => {
      this.#agent = new AgentManager(agentEnvironment, this.keycloak);
      this.stage = 'agent';
      this.log('the agent-manager is healthy');
    });
  }

  /** As cloud-init does, below a folder of its own. The paths are normal and absolute, so none leads out of it. */
  private async write(files: WrittenFile[]): Promise<void> {
    this.root = mkdtempSync(join(tmpdir(), 'cloud-emulator-server-'));
    for (const { path, content, permissions } of files) {
      const target = join(this.root, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content, { mode: 0o600 });
      await chmod(target, parseInt(permissions, 8));
    }
  }

  private async listen({ port, certificate, key, upstream }: PublishedSite): Promise<void> {
    if (this.isEnding()) return;
    const listener = new ProxyListener(port, { certificate, key }, (request, response) => {
      if (!this.#agent || upstream === 'none') return void response.writeHead(502).end();
      if (upstream === 'api') return this.#agent.handle(request, response);
      response.writeHead(200, { 'content-type': 'text/plain' }).end('0{"sid":"emulated","upgrades":[]}');
    });
    this.#listeners.push(listener);
    await listener.listen(this.order.address);
    if (listener.isElsewhere) this.log(`this system has no ${this.order.address}: ${port} is at ${listener.endpoint}`);
  }

  private async closeListeners(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  private isEnding(): boolean {
    return this.life === 'deleting';
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
