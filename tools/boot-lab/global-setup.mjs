// For the Jest project `lab`: the same services as for other tests, but the emulator boots virtual machines.
import startServices from '../testing/global-setup.mjs';

export default async function globalSetup() {
  const lab = process.env.BOOT_LAB;
  if (!lab) throw new Error('BOOT_LAB is not set: npm run boot-lab');
  await startServices({ emulatorOptions: ['--boot=vm', '--lab', lab, '--boot-ms', '2000', '--log'] });
}
