import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { VmView } from './lab-admin';

const MAX_OUTPUT = 64 * 1024 * 1024;
const LIMIT_MS = 120_000;

/** Runs commands on a machine, as root, with the lab's own key. */
export class Shell {
  constructor(private readonly machine: VmView) {}

  /** @throws Error with what the command wrote to stderr when it fails */
  async run(script: string): Promise<string> {
    const { address, sshKey } = this.machine;
    const options = {
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ConnectTimeout: '60',
      BatchMode: 'yes',
    };
    const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const target = ['-i', sshKey, `root@${address}`, script];
    const { stdout } = await promisify(execFile)('ssh', [...words, ...target], {
      maxBuffer: MAX_OUTPUT,
      timeout: LIMIT_MS,
      encoding: 'utf8',
    });
    return stdout;
  }

  async json<T>(script: string): Promise<T> {
    return JSON.parse(await this.run(script)) as T;
  }
}
