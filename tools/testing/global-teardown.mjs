import { rm } from 'node:fs/promises';
import { stopEmulator } from './emulator-process.mjs';

export default async function globalTeardown() {
  const { folder, database, emulator } = globalThis.testServices;
  await stopEmulator(emulator);
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
