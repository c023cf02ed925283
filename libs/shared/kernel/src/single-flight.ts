/** Calls for the same thing that come while it is being got are one, and share its answer or its error. Nothing is kept. */
export class SingleFlight<Key, T> {
  readonly #underWay = new Map<Key, Promise<T>>();

  run(key: Key, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const begun = work().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, begun);
    return begun;
  }

  /** As `run`, for who cannot use an answer to what was asked before this call: it shares the next one. */
  async runNext(key: Key, work: () => Promise<T>): Promise<T> {
    await this.#underWay.get(key)?.catch(() => undefined);
    return this.run(key, work);
  }
}
