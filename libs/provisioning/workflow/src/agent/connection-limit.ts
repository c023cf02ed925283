/** Lets so many through at a time; the others wait in their order. */
export class ConnectionLimit {
  readonly #waiting = new Set<() => void>();
  #open = 0;

  constructor(private limit: number) {}

  /** For the start of the program; what is open stays open. */
  resize(limit: number): void {
    this.limit = limit;
    this.admit();
  }

  /** Runs the work as soon as there is room. @throws the signal's reason when it aborts before that */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.enter(signal);
    try {
      return await work();
    } finally {
      this.#open--;
      this.admit();
    }
  }

  private async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason as Error);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(enter);
      this.admit();
    });
  }

  /** A place is taken here, not by who wakes up: nobody who comes later can be quicker. */
  private admit(): void {
    for (const enter of this.#waiting) {
      if (this.#open >= this.limit) return;
      this.#waiting.delete(enter);
      this.#open++;
      enter();
    }
  }
}
