// The cloud emulator in a process of its own, for tests. It ends when this process does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../lib/install.mjs';

/** @param {string[]} options as in the emulator's README */
export async function startEmulator(options) {
  const program = join(root, 'dist/apps/cloud-emulator/src/main.js');
  const child = spawn(process.execPath, [program, '--port', '0', ...options, '--exit-with', String(process.pid)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`The cloud emulator ended with code ${code}`)));
  });
  return { child, url: /http:\S+/.exec(line)[0] };
}

export async function stopEmulator({ child }) {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
