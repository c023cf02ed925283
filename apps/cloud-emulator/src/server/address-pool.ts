import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(tmpdir(), 'cloud-emulator-addresses');
const POOL_SIZE = 65_000;

/**
 * Gives each server an address of its own in 127.20.0.0/16. Emulators on one machine share the range: a file per
 * address, made exclusively, says whose it is; those of dead processes are taken over.
 */
export class AddressPool {
  #next = Math.floor(Math.random() * POOL_SIZE);

  take(): string {
    mkdirSync(FOLDER, { recursive: true, mode: 0o777 });
    for (let tried = 0; tried < POOL_SIZE; tried++) {
      this.#next = (this.#next + 1) % POOL_SIZE;
      const address = `127.20.${Math.floor(this.#next / 254)}.${(this.#next % 254) + 1}`;
      if (claim(join(FOLDER, address))) return address;
    }
    throw new Error('All addresses in 127.20.0.0/16 are taken');
  }

  release(address: string): void {
    rmSync(join(FOLDER, address), { force: true });
  }
}

function claim(file: string): boolean {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return true;
    } catch {
      if (isHeld(file)) return false;
      rmSync(file, { force: true });
    }
  }
  return false;
}

function isHeld(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
