// What `npm start` starts: PostgreSQL (unless DATABASE_URL is set), the cloud emulator (unless a token is set), and the
// controller, which runs its migrations itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseEnv } from 'node:util';
import { build } from '../build.mjs';
import { banner, realCloudBanner } from './banner.mjs';
import { developmentKeys } from './development-keys.mjs';
import { startEmbeddedDatabase } from './embedded-database.mjs';
import { root } from './install.mjs';
import { createDatabase } from './migrate.mjs';

const EMULATOR_PORT = '3199';

export async function startSystem() {
  const stops = [];
  let stopping;
  const stop = (code, reason) => {
    // The last one started stops first.
    stopping ??= (async () => {
      if (reason) console.error(reason);
      for (const each of stops.reverse()) await each().catch((error) => console.error(error.message));
      process.exit(code);
    })();
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));
  // npm passes no SIGTERM on, and does not say that it ends: then this process gets another parent.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void stop(0);
  }, 1_000).unref();
  try {
    await startAll(stops, stop);
  } catch (error) {
    console.error(`\nCannot start: ${error.message}`);
    await stop(1);
  }
}

async function startAll(stops, stop) {
  const given = { ...readDotEnv(), ...nonEmpty(process.env) };
  const isProduction = given.NODE_ENV === 'production';
  await build();
  const env = { ...given };
  if (!env.DATABASE_URL && !isProduction) {
    const dataDir = join(dataFolder(given), 'postgres');
    const database = await startEmbeddedDatabase({ dataDir, persistent: true, fast: false });
    stops.push(database.stop);
    // Nothing works without it; said only when nobody asked for the end.
    void database.ended.then(() => stop(1, 'The embedded PostgreSQL ended.'));
    if (database.dataDir !== dataDir)
      console.log(`The database is kept in ${database.dataDir}: PostgreSQL cannot run as root.`);
    env.DATABASE_URL = await createDatabase(database.url, 'agent_controller');
  }
  if (!isProduction) Object.assign(env, { ...developmentKeys(join(dataFolder(given), 'keys.json')), ...nonEmpty(env) });
  const emulated = !env.HETZNER_API_TOKEN && !env.DIGITALOCEAN_API_TOKEN && !isProduction;
  const emulatorUrl = emulated
    ? await startEmulator(given.EMULATOR_PORT ?? EMULATOR_PORT, dataFolder(given), stops, stop)
    : null;
  if (emulatorUrl) Object.assign(env, emulatorSettings(emulatorUrl, env));
  const url = await startController(env, stops, stop);
  console.log(emulatorUrl ? banner({ url, emulatorUrl, apiKey: env.STATIC_API_KEY }) : realCloudBanner({ url }));
}

/** Where a checkout keeps what must survive a restart; DATA_DIR puts it elsewhere. */
function dataFolder({ DATA_DIR }) {
  return DATA_DIR ?? join(root, '.data');
}

/** Both providers and a Keycloak, on this machine. */
function emulatorSettings(emulatorUrl, env) {
  const { KEYCLOAK_AUTH_SERVER_URL: keycloak, KEYCLOAK_REALM: realm } = env;
  return {
    HETZNER_API_TOKEN: 'emulated-hetzner-project',
    HETZNER_API_BASE_URL: `${emulatorUrl}/hetzner/v1`,
    DIGITALOCEAN_API_TOKEN: 'emulated-digitalocean-project',
    DIGITALOCEAN_API_BASE_URL: `${emulatorUrl}/digitalocean/v2`,
    KEYCLOAK_AUTH_SERVER_URL: keycloak ?? `${emulatorUrl}/keycloak`,
    KEYCLOAK_REALM: realm ?? 'development',
    // The servers that it boots are on this machine, and whoever tries things out may name any host.
    OUTBOUND_ALLOWED_HOSTS: env.OUTBOUND_ALLOWED_HOSTS ?? '*',
    OUTBOUND_ALLOWED_NETWORKS: env.OUTBOUND_ALLOWED_NETWORKS ?? '127.0.0.0/8',
  };
}

async function startEmulator(port, folder, stops, stop) {
  const program = join(root, 'dist/apps/cloud-emulator/src/main.js');
  const child = start(
    program,
    ['--port', port, '--state', join(folder, 'emulator.json'), '--exit-with', String(process.pid)],
    process.env,
    stops,
  );
  const line = await firstLine(child, /listening on (http:\S+)/, `the cloud emulator (is port ${port} taken?)`);
  child.once('exit', () => void stop(1));
  return line[1];
}

async function startController(env, stops, stop) {
  const program = join(root, 'dist/apps/agent-controller/src/main.js');
  const child = start(program, [], env, stops, ['--import', new URL('end-with-parent.mjs', import.meta.url).href]);
  const found = firstLine(child, /"url":"(http[^"]+)".*listens/, 'the controller (its message is above)');
  createInterface({ input: child.stdout }).on('line', (line) => console.log(line));
  const [, url] = await found;
  child.once('exit', (code) => void stop(code ?? 0));
  return url;
}

/** In a process group of its own, so that Ctrl-C reaches this process alone and things end in their order. */
function start(program, args, env, stops, flags = []) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...flags, program, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'exit');
  stops.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  return child;
}

function firstLine(child, pattern, what) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = pattern.exec(line);
      if (match) resolve(match);
    });
    child.once('exit', () => reject(new Error(`${what} ended`)));
  });
}

function readDotEnv() {
  const file = join(root, '.env');
  return existsSync(file) ? nonEmpty(parseEnv(readFileSync(file, 'utf8'))) : {};
}

function nonEmpty(env) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '' && value !== undefined));
}
