import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Keycloak } from '../keycloak';
import type { Settings } from '../settings';
import { AgentManager, type AgentState } from './agent-manager';
import { Bootstrap, BootstrapError } from './bootstrap';
import { callbackOf } from './callback-file';
import { CallbackReporter, type ReportRecord } from './callback-reporter';
import { readUserData, type CloudConfig, type WrittenFile } from './cloud-init';
import { plan, type Deployment, type PublishedSite } from './deployment';
import type { Life, Machine, MachineTimes, ServerOrder } from './machine';
import { ProxyListener } from './proxy-listener';
import { redemptionOf, withoutRedemption, type Redemption } from './redemption-file';
import { SecretsFetcher } from './secrets-fetcher';
import { siteHandler } from './site-handler';
import { STATUS_FILE, StatusDocument, type InstallFailure, type StatusView } from './status-document';

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
  /** How its agent-manager behaves once it is up, by order of the admin API. */
  agentState: AgentState = 'up';
  readonly times: MachineTimes = { runningAt: null, answersAt: null };
  readonly #orderedAt = new Date();
  readonly #ending = new AbortController();
  #course: Promise<void> = Promise.resolve();
  #stopping?: Promise<void>;
  #listeners: ProxyListener[] = [];
  #agent?: AgentManager;
  #document?: StatusDocument;
  #reporter?: CallbackReporter;

  constructor(
    readonly order: ServerOrder,
    private readonly keycloak: Keycloak,
    private readonly log: (message: string) => void,
    /** Whether the firewalls before it let a connection through, by port and the address that it comes from. */
    private readonly isAdmitted: (port: number, from: string) => boolean = () => true,
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

  /** What it says of how far it is; null before its bootstrap has begun. */
  get status(): StatusView | null {
    return this.#document?.view ?? null;
  }

  /** What it sent to the controller, and what became of it. */
  get reports(): ReportRecord[] {
    return this.#reporter?.records ?? [];
  }

  start(settings: Settings): void {
    this.#course = this.live({ ...settings }).catch((error: Error) => {
      if (!this.isEnding()) this.fail(error.message);
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.end();
    return this.#stopping;
  }

  private async end(): Promise<void> {
    this.life = 'deleting';
    this.#ending.abort();
    // It sees that the server ends, and opens nothing more.
    await this.#course;
    await this.#reporter?.close();
    await this.closeListeners();
    if (this.root) await rm(this.root, { recursive: true, force: true });
    this.root = null;
  }

  private async live({ bootMs, installMs, startMs }: Settings): Promise<void> {
    await this.pause(bootMs);
    this.life = 'running';
    this.times.runningAt = new Date();
    this.log('runs');
    if (this.order.bootFails) return this.fail('the boot failed by order of the admin API');
    this.stage = 'install';
    const config = await this.runCloudInit();
    await this.fetchSecrets(config);
    const deployment = plan({ ...config, files: this.files });
    this.deployment = deployment;
    if (deployment.callback) this.#reporter?.reportTo(deployment.callback);
    const document = this.keepDocument();
    const bootstrap = new Bootstrap(document, this.failure(deployment), (ms) => this.pause(ms));
    try {
      await bootstrap.install(installMs, () => this.openProxy(deployment));
      await bootstrap.start(startMs, () => this.startAgent(deployment));
    } catch (error) {
      if (!(error instanceof BootstrapError)) throw error;
      document.fail(error.failure);
      if (error.isBeforeProxy) await this.serveStatus(deployment);
      throw error;
    }
  }

  /** @throws RefusedError when cloud-init or the bootstrap could do nothing with the user data */
  private async runCloudInit(): Promise<CloudConfig> {
    const { userData, acceptsBase64 } = this.order;
    const config = readUserData(userData, acceptsBase64);
    this.files = config.files;
    this.root = mkdtempSync(join(tmpdir(), 'cloud-emulator-server-'));
    await this.write(config.files);
    return config;
  }

  /** Where they are not in the user data. */
  private async fetchSecrets({ files }: CloudConfig): Promise<void> {
    const redemption = redemptionOf(files);
    if (!redemption) return;
    const fetched = this.order.fetchedFiles?.map((file) => ({ ...file, content: Buffer.from(file.content) }));
    const secret = fetched ?? (await this.redeem(redemption));
    this.order.fetchedFiles = secret.map((file) => ({ ...file, content: file.content.toString('utf8') }));
    const paths = secret.map(({ path }) => path);
    this.files = [...withoutRedemption(files).filter(({ path }) => !paths.includes(path)), ...secret];
    await this.write(secret);
  }

  /** @throws BootstrapError */
  private async redeem(redemption: Redemption): Promise<WrittenFile[]> {
    const document = this.keepDocument();
    document.report({ begun: ['secrets'] });
    const { redemption: mode = 'deliver', address: localAddress } = this.order;
    const options = { mode, log: this.log, signal: this.#ending.signal, localAddress };
    try {
      const files = await new SecretsFetcher(redemption, options).fetch();
      document.report({ ended: ['secrets'] });
      return files;
    } catch (error) {
      if (this.isEnding()) throw error;
      const { message } = error as Error;
      const cause = `The secret files could not be fetched from the controller (${message})`;
      const failure = { stage: 'secrets' as const, cause, logTail: [message] };
      document.fail(failure);
      throw new BootstrapError(failure);
    }
  }

  private keepDocument(): StatusDocument {
    if (this.#document) return this.#document;
    const callback = callbackOf(this.files);
    const { callbacks: mode = 'deliver' } = this.order;
    this.#reporter = callback ? new CallbackReporter(callback, { mode, log: this.log }) : undefined;
    this.#document = new StatusDocument(this.#orderedAt, (view) => this.#reporter?.report(view));
    return this.#document;
  }

  private failure({ agentProblem }: Deployment): InstallFailure | undefined {
    if (this.order.installFailure || agentProblem === null) return this.order.installFailure;
    const stage = agentProblem.startsWith('postgres exits') ? 'postgres' : 'agent-manager';
    return { stage, cause: agentProblem, logTail: [agentProblem] };
  }

  private async openProxy({ sites }: Deployment): Promise<void> {
    try {
      for (const site of sites) await this.listen(site);
    } catch (error) {
      await this.closeListeners();
      throw new BootstrapError({ stage: 'proxy', cause: (error as Error).message });
    }
    if (this.isEnding()) return;
    this.stage = 'proxy';
    this.log(`the proxy answers at ${Object.values(this.endpoints).join(' and ')}`);
  }

  private startAgent({ agentEnvironment }: Deployment): void {
    this.#agent = new AgentManager(agentEnvironment, this.keycloak, () => this.agentState);
    this.stage = 'agent';
    this.times.answersAt = new Date();
    this.log('the agent-manager is healthy');
  }

  /** In place of the proxy that never ran: its status document, and nothing else. */
  private async serveStatus({ sites }: Deployment): Promise<void> {
    for (const site of sites) {
      const routes = site.routes.filter((route) => route.kind === 'files' && route.folder === dirname(STATUS_FILE));
      // A port that is taken, or a key that is none, has its cause in the document already.
      if (routes.length > 0) await this.listen({ ...site, routes: [...routes, NOT_FOUND] }).catch(() => undefined);
    }
  }

  /** As cloud-init does, below a folder of its own. The paths are normal and absolute, so none leads out of it. */
  private async write(files: WrittenFile[]): Promise<void> {
    const { root } = this;
    if (root === null) return;
    for (const { path, content, permissions } of files) {
      const target = join(root, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content, { mode: 0o600 });
      await chmod(target, parseInt(permissions, 8));
    }
  }

  private async listen({ port, certificate, key, routes }: PublishedSite): Promise<void> {
    if (this.isEnding()) return;
    const agent = () => (this.agentState === 'down' ? null : (this.#agent ?? null));
    const handler = siteHandler(routes, { agent, readFile: (path) => this.readFile(path) });
    const listener = new ProxyListener(port, { certificate, key }, handler, (from) => this.isAdmitted(port, from));
    await listener.listen(this.order.address);
    this.#listeners.push(listener);
    if (listener.isElsewhere) this.log(`this system has no ${this.order.address}: ${port} is at ${listener.endpoint}`);
  }

  private readFile(path: string): Buffer | null {
    if (path === STATUS_FILE) return this.#document ? Buffer.from(JSON.stringify(this.status)) : null;
    return this.files.find((file) => file.path === path)?.content ?? null;
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

  /** Rejects when the server ends. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ending.signal });
  }
}

const NOT_FOUND = { path: null, kind: 'files', folder: null, rewrite: null, headers: {} } as const;
