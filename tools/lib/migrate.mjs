// Runs the controller's own migration program, as `npm start`, the tests and the check do.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './install.mjs';

/** @returns {Promise<string>} URL of the new database */
export async function createDatabase(serverUrl, name) {
  const { Client } = createRequire(import.meta.url)('pg');
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** @param {'up' | 'down-all' | 'check'} command see apps/agent-controller/src/migrate.ts */
export function migrate(databaseUrl, command) {
  const program = join(root, 'dist/apps/agent-controller/src/migrate.js');
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', program, command], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
