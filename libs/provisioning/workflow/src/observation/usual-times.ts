/** Of the latest so many. */
const REMEMBERED = 64;
/** The part of them that may have been quicker: one that is out of the ordinary must not count. */
const QUICKEST = 0.05;

/** How long something usually lasts at least, as it was lately. Of a fixed size, whatever is learned. */
export class UsualTimes<Key> {
  readonly #lasted = new Map<Key, number[]>();

  learn(key: Key, ms: number): void {
    this.#lasted.set(key, [...(this.#lasted.get(key) ?? []).slice(1 - REMEMBERED), Math.max(0, ms)]);
  }

  /** Null while nothing is known. */
  least(key: Key): number | null {
    const sorted = [...(this.#lasted.get(key) ?? [])].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * QUICKEST)] ?? null;
  }
}
