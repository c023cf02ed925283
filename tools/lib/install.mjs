// Installs the dependencies when they are missing or older than the lockfile. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
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
  // One dependency's dependency warns about Node 20 although it runs there: only errors are shown.
  const { status } = spawnSync(npm, ['ci', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error('npm ci failed; its messages are above.');
    process.exit(status ?? 1);
  }
}

function mtime(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
