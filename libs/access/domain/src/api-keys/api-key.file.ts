import type { Logger } from '@agent-controller/kernel';
import { readFileSync, statSync } from 'node:fs';
import { parseApiKeyEntries } from './api-key-entry';
import { toKnownKey, type KnownKey } from './api-key.authenticator';

const LOOK_EVERY_MS = 1_000;

/** Keys of a file that may change at any time: what is added works, what is removed does not, within about a second. */
export class ApiKeyFile {
  #keys: KnownKey[];
  #seen: string;
  #failure: string | null = null;
  #timer: NodeJS.Timeout;

  /** @throws Error when the file cannot be read or an entry is wrong; its message holds nothing of the file */
  constructor(
    private readonly path: string,
    private readonly logger: Logger,
  ) {
    this.#seen = this.state();
    this.#keys = this.read();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  keys(): readonly KnownKey[] {
    return this.#keys;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** What is wrong changes nothing: a slip in the file must not lock everybody out. */
  private look(): void {
    try {
      const state = this.state();
      if (state === this.#seen) return;
      this.#seen = state;
      this.#keys = this.read();
      this.#failure = null;
      this.logger.info({ keys: this.#keys.length }, 'read the API keys anew');
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#failure) return;
      this.#failure = message;
      this.logger.error({ reason: message }, 'the API keys could not be read anew; those of before stay in force');
    }
  }

  // By inode as well: files that are mounted into containers are exchanged, not written.
  private state(): string {
    try {
      const { mtimeMs, size, ino } = statSync(this.path);
      return `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      // When it is back, it is read even if it is the same.
      this.#seen = '';
      throw new Error(`it cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  private read(): KnownKey[] {
    const keys = parseApiKeyEntries(readFileSync(this.path, 'utf8')).map(toKnownKey);
    // More likely a file that is just being written than the wish to shut everybody out.
    if (keys.length === 0) throw new Error('it has no keys');
    return keys;
  }
}
