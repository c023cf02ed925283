import type { Clock } from '@agent-controller/kernel';

const REMEMBERED_MS = 10 * 60_000;
/** One that is used all the time need not be noted each time. */
const AGAIN_AFTER_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * Credentials that were good lately, by their digests. Where an address is refused for too many failures, these still get
 * in: whoever shares an address (an office, a proxy) with somebody who guesses is not shut out with them.
 */
export class KnownCredentials {
  readonly #until = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  remember(digest: string): void {
    const until = this.clock.now().getTime() + REMEMBERED_MS;
    if (until - (this.#until.get(digest) ?? 0) < AGAIN_AFTER_MS) return;
    // Moved to the end: the first one is the one that was used the longest ago.
    this.#until.delete(digest);
    this.#until.set(digest, until);
    if (this.#until.size > MAX_REMEMBERED) this.#until.delete(this.#until.keys().next().value ?? '');
  }

  has(digest: string): boolean {
    return (this.#until.get(digest) ?? 0) > this.clock.now().getTime();
  }
}
