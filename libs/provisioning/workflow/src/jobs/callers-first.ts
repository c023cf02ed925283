import { Injectable } from '@nestjs/common';

/** Steps that go on whatever is asked. */
const LEAST_STEPS = 2;
/** A step waits no longer, so that orders without end hold no server back. */
const PATIENCE_MS = 250;

/**
 * Lets callers go before the steps of what they ordered: both need this process's processor and connections, a caller
 * waits for milliseconds, and an order for the cloud.
 */
@Injectable()
export class CallersFirst {
  #calls = 0;
  #steps = 0;
  readonly #waiting = new Set<() => void>();

  /** While it lasts, few steps begin. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await work();
    } finally {
      this.#calls -= 1;
      this.wakeOne();
    }
  }

  /** Begins when no call is under way, when hardly any step is, or after a while. */
  async step<T>(work: () => Promise<T>): Promise<T> {
    if (!this.mayBegin) await this.turn();
    this.#steps += 1;
    try {
      return await work();
    } finally {
      this.#steps -= 1;
      this.wakeOne();
    }
  }

  private get mayBegin(): boolean {
    return this.#calls === 0 || this.#steps < LEAST_STEPS;
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => {
      const begin = () => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(begin, PATIENCE_MS);
      this.#waiting.add(begin);
    });
  }

  /** One after another: ten that begin in the same moment would keep the next caller waiting. */
  private wakeOne(): void {
    const [first] = this.#waiting;
    if (!first || !this.mayBegin) return;
    first();
    setImmediate(() => this.wakeOne());
  }
}
