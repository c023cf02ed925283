// Applies the migrations to an empty database; then generating finds nothing to do; then all down, and up again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedDatabase } from '../lib/embedded-database.mjs';
import { createDatabase, migrate } from '../lib/migrate.mjs';

const folder = await mkdtemp(join(tmpdir(), 'agent-controller-migrations-'));
const database = await startEmbeddedDatabase({ dataDir: join(folder, 'data'), persistent: false, fast: true });
try {
  const url = await createDatabase(database.url, 'migrations');
  for (const command of ['up', 'check', 'down-all', 'empty', 'up', 'check']) {
    migrate(url, command);
    console.log(`migrate ${command}: as it should be`);
  }
} finally {
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
