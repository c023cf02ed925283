import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readUserData, type WrittenFile } from '../server/cloud-init';
import { plan, type Deployment } from '../server/deployment';
import type { Life, Machine, ServerOrder } from '../server/machine';
import type { Settings } from '../settings';
import type { Blueprint } from '../world';
import { LabInternet } from './lab-internet';
import { MetadataServer } from './metadata-server';
import { qemuCommand } from './qemu-command';
import { tellMonitor } from './vm-monitor';
import type { VmOptions } from './vm-options';

const SSH_PORT = 22;
const API_PORT = 3000;

interface Place {
  lab: string;
  /** Disk, console and monitor of this machine; removed with it. */
  folder: string;
  controllerUrl: () => string | null;
  emulatorUrl: () => string | null;
}

/** One server as a virtual machine: what happens on it is real. */
export class VmServer implements Machine {
  life: Life = 'booting';
  problem: string | null = null;
  stage: Machine['stage'] = 'boot';
  readonly files: WrittenFile[] = [];
  readonly deployment: Deployment | null = null;
  // Played servers only: of a virtual machine these are asked, or broken, on the machine itself.
  agentState: Machine['agentState'] = 'up';
  readonly status = null;
  readonly reports = [];
  readonly order: ServerOrder;
  readonly #ports: number[];
  readonly #metadata: MetadataServer;
  readonly #internet: LabInternet;
  #qemu?: ChildProcess;
  #timer?: NodeJS.Timeout;
  #starting: Promise<void> = Promise.resolve();
  #stopping?: Promise<void>;

  constructor(
    private readonly blueprint: Blueprint,
    private readonly options: VmOptions,
    private readonly place: Place,
  ) {
    this.order = blueprint.order;
    try {
      const config = readUserData(this.order.userData, this.order.acceptsBase64);
      this.files = config.files;
      this.deployment = plan(config);
    } catch (error) {
      // The machine finds out by itself.
      blueprint.log(`this emulator does not understand the user data: ${(error as Error).message}`);
    }
    const ports = this.deployment?.sites.map(({ port }) => port) ?? [];
    this.#ports = [...new Set([SSH_PORT, API_PORT, ...ports])];
    this.#metadata = new MetadataServer(blueprint);
    this.#internet = new LabInternet({ ...place, dockerRepository: options.dockerRepository });
  }

  get phase(): Machine['phase'] {
    if (this.life === 'deleting') return 'deleting';
    if (this.problem !== null) return 'broken';
    return this.life === 'booting' ? 'booting' : 'installing';
  }

  get endpoints(): Record<number, string> {
    return Object.fromEntries(this.#ports.map((port) => [port, `${this.order.address}:${port}`]));
  }

  start({ bootMs }: Settings): void {
    this.#starting = this.boot().catch((error: Error) => this.fail(`the machine does not start: ${error.message}`));
    this.#timer = setTimeout(() => {
      if (this.life !== 'booting') return;
      this.life = 'running';
      this.stage = 'install';
    }, bootMs);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.end();
    return this.#stopping;
  }

  /** `reset` is power off and on again at once, `powerdown` the power button. */
  power(action: 'reset' | 'powerdown'): Promise<void> {
    return tellMonitor(this.inFolder('monitor'), action === 'reset' ? 'system_reset' : 'system_powerdown');
  }

  view() {
    const { lab } = this.place;
    return {
      address: this.order.address,
      pid: this.#qemu?.pid ?? null,
      isRunning: this.#qemu !== undefined && this.#qemu.exitCode === null && this.#qemu.signalCode === null,
      folder: this.place.folder,
      console: this.inFolder('console.log'),
      sshKey: join(lab, 'ssh-key'),
      options: this.options,
    };
  }

  private async boot(): Promise<void> {
    const { lab, folder } = this.place;
    const { options, order } = this;
    const { id, provider, log } = this.blueprint;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const disk = this.inFolder('disk.qcow2');
    const base = join(lab, `${options.disk}.raw`);
    await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, disk]);
    const [metadataPort, internetPort] = [await this.#metadata.listen(), await this.#internet.listen()];
    if (this.life === 'deleting') return;
    const [program, ...words] = qemuCommand({
      ...{ id, provider, lab, disk, options, metadataPort, internetPort },
      monitor: this.inFolder('monitor'),
      console: this.inFolder('console.log'),
      address: order.address,
      ports: order.bootFails ? [] : this.#ports,
    });
    const qemu = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    qemu.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
    qemu.once('error', (error) => this.fail(error.message));
    qemu.once('exit', (code) => {
      if (this.life !== 'deleting') this.fail(`the machine is off: QEMU ended with code ${code} ${said}`);
    });
    this.#qemu = qemu;
    log(`QEMU runs as process ${qemu.pid}; console: ${this.inFolder('console.log')}`);
  }

  private async end(): Promise<void> {
    this.life = 'deleting';
    clearTimeout(this.#timer);
    await this.#starting;
    const qemu = this.#qemu;
    if (qemu?.pid !== undefined && qemu.exitCode === null && qemu.signalCode === null) {
      const ended = once(qemu, 'exit');
      qemu.kill('SIGKILL');
      await ended;
    }
    this.#metadata.close();
    this.#internet.close();
    await rm(this.place.folder, { recursive: true, force: true });
  }

  private inFolder(name: string): string {
    return join(this.place.folder, name);
  }

  private fail(problem: string): void {
    this.problem = problem;
    this.blueprint.log(problem);
  }
}
