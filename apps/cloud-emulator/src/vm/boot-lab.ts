import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Blueprint } from '../world';
import { vmOptionsSchema, type VmOptions } from './vm-options';
import { VmServer } from './vm-server';

/** Makes virtual machines of what tools/boot-lab/build.sh has built. */
export class BootLab {
  readonly folder: string;
  /** Where https://controller.lab.example leads: the controller, by plain HTTP. */
  controllerUrl: string | null = null;
  /** Where https://keycloak.lab.example leads: the emulator itself, once it listens. */
  emulatorUrl: string | null = null;
  readonly machines = new Map<number, VmServer>();
  readonly #next: VmOptions[] = [];
  readonly #runs: string;

  /** @throws Error when there is no lab */
  constructor(folder: string) {
    this.folder = resolve(folder);
    if (!existsSync(join(this.folder, 'built'))) throw new Error(`${folder} is no boot lab: tools/boot-lab/build.sh`);
    this.#runs = join(this.folder, 'runs');
    mkdirSync(this.#runs, { recursive: true });
    this.sweep();
  }

  /** How the next machine is to be; those after it are ordinary again. */
  expect(options: VmOptions): void {
    this.#next.push(options);
  }

  machine(blueprint: Blueprint): VmServer {
    const machine = new VmServer(blueprint, this.#next.shift() ?? vmOptionsSchema.parse({}), {
      lab: this.folder,
      folder: join(this.#runs, `${process.pid}-${blueprint.id}`),
      controllerUrl: () => this.controllerUrl,
      emulatorUrl: () => this.emulatorUrl,
    });
    this.machines.set(blueprint.id, machine);
    return machine;
  }

  /** Machines end with their emulator, but one that was killed leaves their disks. */
  private sweep(): void {
    for (const name of readdirSync(this.#runs)) {
      const pid = Number(name.split('-')[0]);
      if (!isAlive(pid)) rmSync(join(this.#runs, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
