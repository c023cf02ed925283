import type { TestDatabase } from '@agent-controller/database/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const GUARD = resolve(__dirname, '../../../../tools/lib/postgres-guard.mjs');

/** A PostgreSQL of its own for one suite, empty, which the suite may stop and start. It ends with this process. */
export class PrivateDatabase implements TestDatabase {
  #guard?: ChildProcess;
  #url = '';

  private constructor(private readonly folder: string) {}

  static async create(): Promise<PrivateDatabase> {
    const folder = await mkdtemp(join(tmpdir(), 'agent-controller-e2e-'));
    // As root, PostgreSQL runs as another account.
    await chmod(folder, 0o711);
    const database = new PrivateDatabase(folder);
    await database.start();
    return database;
  }

  get url(): string {
    return this.#url;
  }

  /** At the same address as before. */
  async start(): Promise<void> {
    const port = this.#url === '' ? 0 : Number(new URL(this.#url).port);
    // Not `fast`: what was committed must survive a crash.
    const options = JSON.stringify({ dataDir: join(this.folder, 'data'), port, persistent: true, fast: false });
    const guard = spawn(process.execPath, [GUARD, options], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [line] = (await once(createInterface({ input: guard.stdout }), 'line')) as [string];
    this.#url = (JSON.parse(line) as { url: string }).url;
    this.#guard = guard;
  }

  /** At once, as by a power cut: connections end without a word, and the next start recovers. */
  async crash(): Promise<void> {
    const ended = once(this.#guard!, 'exit');
    const [pid] = (await readFile(join(this.folder, 'data', 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await ended;
  }

  async drop(): Promise<void> {
    if (this.#guard && this.#guard.exitCode === null) {
      const ended = once(this.#guard, 'exit');
      this.#guard.stdin!.end();
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
