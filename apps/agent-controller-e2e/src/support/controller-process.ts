import { createTestDatabase, type TestDatabase } from '@agent-controller/database/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { Api } from './api';
import { EmulatorAdmin, emulatorUrl } from './emulator-admin';
import { until } from './until';

// The explorer is compiled and stands beside it; Jest reads the sources.
const COMPILED = join(__dirname, '../../../agent-controller/src/main.js');
const PROGRAM = existsSync(COMPILED) ? COMPILED : join(__dirname, '../../../../dist/apps/agent-controller/src/main.js');

/** Whoever ends without having stopped them leaves none behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** One installation for one suite: a database, projects at both providers, and as many controllers as it starts. */
export class Installation {
  readonly apiKey = randomBytes(24).toString('hex');
  /** Unique, so that this suite's servers are its own. */
  readonly token = `e2e-${randomUUID()}`;
  readonly emulator = new EmulatorAdmin(this.token);
  readonly encryptionKey = randomBytes(32).toString('base64');
  readonly #controllers: Controller[] = [];

  private constructor(readonly database: TestDatabase) {}

  /** @param database absent: one on the server of all suites */
  static async create(database?: TestDatabase): Promise<Installation> {
    return new Installation(database ?? (await createTestDatabase()));
  }

  async startController(changes: Record<string, string> = {}): Promise<Controller> {
    const controller = await Controller.start({ ...this.environment(), ...changes }, this.apiKey);
    this.#controllers.push(controller);
    return controller;
  }

  /** Asks the database itself. */
  async query<T>(sql: string): Promise<T[]> {
    const client = new Client({ connectionString: this.database.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows as T[];
    } finally {
      await client.end();
    }
  }

  /** Every word of every table of ours and of the jobs', to look for what must not be there. */
  async everythingStored(): Promise<string> {
    const tables = await this.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema IN ('public', 'graphile_worker') AND table_type = 'BASE TABLE' ORDER BY 1`,
    );
    const rows = await Promise.all(
      tables.map(({ name }) => this.query(`SELECT '${name}' AS "table", to_jsonb(t)::text AS row FROM ${name} t`)),
    );
    return JSON.stringify(rows);
  }

  environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: this.database.url,
      ENCRYPTION_KEYS: this.encryptionKey,
      AUTHENTICATION_METHOD: 'api-key',
      STATIC_API_KEY: this.apiKey,
      // Tests ask as fast as they can, and give wrong keys on purpose.
      CALLER_RATE_LIMIT: '0',
      FAILED_AUTHENTICATION_LIMIT: '0',
      HETZNER_API_TOKEN: this.token,
      HETZNER_API_BASE_URL: `${emulatorUrl()}/hetzner/v1`,
      DIGITALOCEAN_API_TOKEN: this.token,
      DIGITALOCEAN_API_BASE_URL: `${emulatorUrl()}/digitalocean/v2`,
      KEYCLOAK_AUTH_SERVER_URL: `${emulatorUrl()}/keycloak`,
      KEYCLOAK_REALM: 'e2e',
      // The emulator's servers are on this machine; names are any that tests make up.
      OUTBOUND_ALLOWED_HOSTS: '*',
      OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8',
    };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#controllers.map((controller) => controller.stop()));
    await this.emulator.clearFaults();
    await this.database.drop();
  }
}

/** One controller in a process of its own, as operators run it. */
export class Controller {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly api: Api,
    private readonly output: string[],
  ) {}

  static async start(environment: Record<string, string>, apiKey: string): Promise<Controller> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const output: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    // A crash would otherwise only show as a refused connection.
    child.once('exit', () => {
      for (const line of output) if (line.includes('an error that nobody caught')) process.stderr.write(`${line}\n`);
    });
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        output.push(line);
        const listening = /"url":"(http[^"]+)".*listens/.exec(line);
        if (listening?.[1]) resolve(listening[1]);
      });
      child.once('exit', (code) => reject(new Error(`The controller ended with code ${code}:\n${output.join('\n')}`)));
    });
    return new Controller(child, url, new Api(url, apiKey), output);
  }

  /** Everything that it has written; lines of the last moments may be missing. */
  log(): string {
    return this.output.join('\n');
  }

  /** Everything that it has written until now: a call of its own, which it logs as well, comes last. */
  async wholeLog(): Promise<string> {
    const mark = randomUUID();
    await this.api.get(`/api/${mark}`);
    await this.untilLogged(mark);
    return this.log();
  }

  /** Waits until it has written such a line: lines of a moment are written together. */
  async untilLogged(text: string | RegExp): Promise<void> {
    await until(
      async () => this.log(),
      (log) => (typeof text === 'string' ? log.includes(text) : text.test(log)),
      10_000,
    );
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends a signal that need not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** As when the program ends that reads what it writes. */
  closeOutput(): void {
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
  }

  /** Asks it to end. @returns its exit code; null when it did not within the limit, and was killed */
  async terminate(limitMs: number): Promise<number | null> {
    const exited = once(this.child, 'exit') as Promise<[number | null]>;
    const killer = setTimeout(() => this.child.kill('SIGKILL'), limitMs);
    this.child.kill('SIGTERM');
    const [code] = await exited;
    clearTimeout(killer);
    return code;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}
