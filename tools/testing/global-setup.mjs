// Once for the projects `integration` and `e2e`: builds, starts PostgreSQL with a migrated template database and the
// cloud emulator. Both end when this process does, however it ends.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.mjs';
import { startEmbeddedDatabase } from '../lib/embedded-database.mjs';
import { createDatabase, migrate } from '../lib/migrate.mjs';
import { startEmulator } from './emulator-process.mjs';

const TEMPLATE = 'migrated_template';

// Fast servers: a test waits for conditions, and real boot times would only make it slow.
const SPEED = ['--boot-ms', '200', '--install-ms', '200', '--start-ms', '200'];

/** Jest gives its own configuration; only the boot lab gives `emulatorOptions`. */
export default async function globalSetup({ emulatorOptions = SPEED } = {}) {
  await build();
  const folder = await mkdtemp(join(tmpdir(), 'agent-controller-test-'));
  const database = await startEmbeddedDatabase({ dataDir: join(folder, 'data'), persistent: false, fast: true });
  globalThis.testServices = { folder, database };
  migrate(await createDatabase(database.url, TEMPLATE), 'up');
  const emulator = await startEmulator(emulatorOptions);
  globalThis.testServices.emulator = emulator;
  process.env.TEST_DATABASE_URL = database.url;
  process.env.TEST_TEMPLATE_DATABASE = TEMPLATE;
  process.env.TEST_EMULATOR_URL = emulator.url;
}
