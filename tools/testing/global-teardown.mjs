import { once } from 'node:events';
import { rm } from 'node:fs/promises';

export default async function globalTeardown() {
  const { folder, database, emulator } = globalThis.testServices;
  if (emulator.child.exitCode === null) {
    emulator.child.kill('SIGTERM');
    await once(emulator.child, 'exit');
  }
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
