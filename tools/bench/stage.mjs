// What benchmarks run against: PostgreSQL, the cloud emulator with raised limits, and as many built controllers as wanted.
import { spawn, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.mjs';
import { startEmbeddedDatabase } from '../lib/embedded-database.mjs';
import { root } from '../lib/install.mjs';
import { createDatabase, migrate } from '../lib/migrate.mjs';
import { residentMiB } from './processes.mjs';
import { startEmulator, stopEmulator } from '../testing/emulator-process.mjs';

const { Client } = createRequire(import.meta.url)('pg');
const PROGRAM = join(root, 'dist/apps/agent-controller/src/main.js');
const NO_LIMIT = 1_000_000_000;
const running = new Set();
const folders = new Set();
process.on('exit', () => {
  running.forEach((child) => child.kill('SIGKILL'));
  // The database's guard ends a moment later, and takes away what it still writes.
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It is in the system's folder for such things.
    }
  }
});

export class Stage {
  /**
   * @param {{emulator?: string[], durable?: boolean}} options `emulator`: as in its README; `durable: false`: a
   *   PostgreSQL that does not wait for its disk
   */
  static async start({ emulator = [], durable = true } = {}) {
    await build();
    const folder = await mkdtemp(join(tmpdir(), 'agent-controller-bench-'));
    folders.add(folder);
    const database = await startEmbeddedDatabase({ dataDir: join(folder, 'data'), persistent: false, fast: !durable });
    const url = await createDatabase(database.url, 'bench');
    migrate(url, 'up');
    const stage = new Stage(folder, database, url, await startEmulator(emulator));
    await stage.#raiseLimits();
    return stage;
  }

  constructor(folder, database, databaseUrl, emulator) {
    Object.assign(this, { folder, database, databaseUrl, emulator });
    this.apiKey = randomBytes(24).toString('hex');
    this.token = `bench-${randomBytes(6).toString('hex')}`;
    this.encryptionKey = randomBytes(32).toString('base64');
    this.controllers = [];
  }

  /** One emulated project takes as many servers and requests as there are; the providers' own limits are in the tables. */
  async #raiseLimits() {
    await this.setEmulator({ serverLimit: NO_LIMIT, burstPerMinute: NO_LIMIT, keyListsPerMinute: NO_LIMIT });
  }

  setEmulator(settings) {
    return this.emulatorCall('PUT', '/admin/settings', settings);
  }

  async emulatorCall(method, path, body) {
    const response = await fetch(this.emulator.url + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`The emulator answers ${response.status}: ${await response.text()}`);
    return response.status === 204 ? null : response.json().catch(() => null);
  }

  /** Requests that the emulator got from this stage's controllers. */
  providerRequests() {
    return this.emulatorCall('GET', `/admin/requests?token=${this.token}`);
  }

  /** @param {{env?: Record<string, string>, cpu?: number, nodeFlags?: string[]}} options */
  async startController({ env = {}, cpu, nodeFlags = [] } = {}) {
    const controller = await startServer([...nodeFlags, PROGRAM], { env: { ...this.environment(), ...env }, cpu });
    this.controllers.push(controller);
    return controller;
  }

  environment() {
    return {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: this.databaseUrl,
      ENCRYPTION_KEYS: this.encryptionKey,
      AUTHENTICATION_METHOD: 'api-key',
      STATIC_API_KEY: this.apiKey,
      // The emulator's servers are on this machine.
      OUTBOUND_ALLOWED_HOSTS: '*',
      OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8',
      // Counted as always, and never reached.
      CALLER_RATE_LIMIT: String(NO_LIMIT),
      FAILED_AUTHENTICATION_LIMIT: '30',
      HETZNER_API_TOKEN: this.token,
      HETZNER_API_BASE_URL: `${this.emulator.url}/hetzner/v1`,
      DIGITALOCEAN_API_TOKEN: this.token,
      DIGITALOCEAN_API_BASE_URL: `${this.emulator.url}/digitalocean/v2`,
    };
  }

  async query(sql, values = []) {
    const client = new Client({ connectionString: this.databaseUrl });
    await client.connect();
    try {
      return (await client.query(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async call(controller, method, path, body) {
    const response = await fetch(controller.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
  }

  async stop() {
    await Promise.all(this.controllers.map((controller) => controller.stop()));
    await stopEmulator(this.emulator);
    await this.database.stop();
  }
}

/** A Node program that prints a line with its `"url"` once it listens. @param {{env: object, cpu?: number}} options */
export async function startServer(args, { env, cpu }) {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...args];
  const [command, ...rest] = cpu === undefined ? node : ['taskset', '-c', String(cpu), ...node];
  const began = performance.now();
  const child = spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const url = await new Promise((resolve, reject) => {
    let head = '';
    child.stdout.on('data', function look(chunk) {
      head += chunk;
      const found = /"url":"(http[^"]+)"[^\n]*listens/.exec(head);
      if (!found) return;
      child.stdout.off('data', look).resume();
      resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`A server ended with code ${code}:\n${head}`)));
  });
  const listeningMs = performance.now() - began;
  return {
    ...{ pid: child.pid, url, port: Number(new URL(url).port), began, listeningMs },
    residentMiB: () => residentMiB(child.pid),
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

/** From now on this process, and what it starts, runs on this processor only. */
export function pinSelf(cpu) {
  execFileSync('taskset', ['-a', '-c', '-p', String(cpu), String(process.pid)], { stdio: 'ignore' });
}

/** Calls `work` with 0 to count - 1. @returns what it returned, in that order */
export async function severalAtOnce(atOnce, count, work) {
  let next = 0;
  const results = [];
  const worker = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await work(n);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

export async function until(condition, what, limitMs = 60_000) {
  for (const began = performance.now(); performance.now() - began < limitMs;) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited ${limitMs} ms in vain: ${what}`);
}
