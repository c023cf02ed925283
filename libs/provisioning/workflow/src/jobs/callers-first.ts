import { Injectable } from '@nestjs/common';

/** A step that goes on whatever is asked. */
const LEAST_STEPS = 1;
/** And so often one more begins, so that orders without end hold no server back. */
const ANYWAY_MS = 50;
/** So many calls within so long are a rush: the next one is not far. */
const RUSH = { calls: 5, withinMs: 200 };

/**
 * Lets callers go before the steps of what they ordered: both need this process's processor and connections, a caller
 * waits for milliseconds, and an order for the cloud.
 */
@Injectable()
export class CallersFirst {
  #calls = 0;
  #steps = 0;
  /** Calls, fading; and as of when. */
  #recent = 0;
  #recentAt = 0;
  readonly #waiting: (() => void)[] = [];
  #timer?: NodeJS.Timeout;

  /** While it lasts, few steps begin. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    this.#recent = this.recentCalls() + 1;
    this.#recentAt = performance.now();
    try {
      return await work();
    } finally {
      this.#calls -= 1;
      this.wakeOne();
    }
  }

  /** Begins when no call is under way or near, when no other step is, or after its turn. */
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
    return this.#steps < LEAST_STEPS || (this.#calls === 0 && this.recentCalls() < RUSH.calls);
  }

  private recentCalls(): number {
    return this.#recent * Math.exp((this.#recentAt - performance.now()) / RUSH.withinMs);
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#timer ??= setInterval(() => this.next(), ANYWAY_MS);
    });
  }

  /** One after another: ten that begin in the same moment would keep the next caller waiting. */
  private wakeOne(): void {
    if (this.#waiting.length === 0 || !this.mayBegin) return;
    this.next();
    setImmediate(() => this.wakeOne());
  }

  private next(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
