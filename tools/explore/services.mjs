// What the explorer runs against: a PostgreSQL of its own that can be stopped and started, and a brisk emulator.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.mjs';
import { startEmbeddedDatabase } from '../lib/embedded-database.mjs';
import { createDatabase, migrate } from '../lib/migrate.mjs';
import { startEmulator, stopEmulator } from '../testing/emulator-process.mjs';

const TEMPLATE = 'migrated_template';
const SPEED = ['--boot-ms', '30', '--install-ms', '30', '--start-ms', '30'];

export async function startExplorerServices() {
  await build();
  const folder = await mkdtemp(join(tmpdir(), 'agent-controller-explore-'));
  const options = { dataDir: join(folder, 'data'), persistent: true, fast: true };
  let database = await startEmbeddedDatabase(options);
  const port = Number(new URL(database.url).port);
  migrate(await createDatabase(database.url, TEMPLATE), 'up');
  const emulator = await startEmulator(SPEED);
  process.env.TEST_DATABASE_URL = database.url;
  process.env.TEST_TEMPLATE_DATABASE = TEMPLATE;
  process.env.TEST_EMULATOR_URL = emulator.url;
  return {
    restartDatabase: async () => {
      await database.stop();
      database = await startEmbeddedDatabase({ ...options, port });
    },
    stop: async () => {
      await stopEmulator(emulator);
      await database.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
