import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(tmpdir(), 'cloud-emulator-addresses');
const POOL_SIZE = 65_000;

/**
 * Gives each server an address of its own in 127.20.0.0/16. Emulators on one machine share the range: a file per
 * address, made exclusively, says whose it is. Those of dead processes are swept away once, before the first is given.
 */
export class AddressPool {
  #next = Math.floor(Math.random() * POOL_SIZE);
  #isSwept = false;

  constructor(private readonly folder = FOLDER) {}

  /** @param wanted an address that a server had before; another is given when it is taken */
  take(wanted?: string): string {
    if (!this.#isSwept) this.sweep();
    if (wanted !== undefined && this.claim(wanted)) return wanted;
    for (let tried = 0; tried < POOL_SIZE; tried++) {
      this.#next = (this.#next + 1) % POOL_SIZE;
      const address = `127.20.${Math.floor(this.#next / 254)}.${(this.#next % 254) + 1}`;
      if (this.claim(address)) return address;
    }
    throw new Error('All addresses in 127.20.0.0/16 are taken');
  }

  release(address: string): void {
    rmSync(join(this.folder, address), { force: true });
  }

  /** Not while addresses are claimed: a file removed late could be the new owner's. */
  private sweep(): void {
    mkdirSync(this.folder, { recursive: true });
    try {
      // Emulators of other users keep theirs here, too.
      chmodSync(this.folder, 0o1777);
    } catch {
      // The folder is another user's, who has done so.
    }
    for (const address of readdirSync(this.folder)) {
      if (!isHeld(join(this.folder, address))) this.release(address);
    }
    this.#isSwept = true;
  }

  private claim(address: string): boolean {
    try {
      writeFileSync(join(this.folder, address), String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }
}

function isHeld(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Empty while its owner is about to write.
    if (!pid) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
