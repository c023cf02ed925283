/**
 * Something of this process that is worth measuring, told where it happens. Libraries do not know who measures: with
 * nobody there, telling costs a glance at an empty set. Listeners must not throw.
 */
export class Signal<T> {
  readonly #listeners = new Set<(fact: T) => void>();

  tell(fact: T): void {
    for (const listener of this.#listeners) listener(fact);
  }

  /** @returns ends the listening */
  listen(listener: (fact: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
