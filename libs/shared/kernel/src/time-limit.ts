import { firstAbort } from './first-abort';

/**
 * A time limit that can be set again, and its signal, which aborts with a `TimeoutError` when it is over, or as soon as one
 * of the other signals does.
 *
 * Nothing but `AbortSignal.any` knows an `AbortSignal.timeout`, and that weakly: in Node 20 such a limit is gone at the next
 * garbage collection and never aborts. A timer holds its controller, and ends what the others know of it.
 */
export class TimeLimit {
  readonly signal: AbortSignal;
  readonly #over = new AbortController();
  #timer?: NodeJS.Timeout;

  constructor(...signals: AbortSignal[]) {
    this.signal = firstAbort(this.#over.signal, ...signals);
  }

  /** From now on; one that runs is taken back. */
  set(limitMs: number): void {
    this.lift();
    const timedOut = () => this.#over.abort(new DOMException(`Not done within ${limitMs} ms`, 'TimeoutError'));
    this.#timer = setTimeout(timedOut, limitMs).unref();
  }

  lift(): void {
    clearTimeout(this.#timer);
  }

  /** To be called at last, unless a limit runs: aborts what is still under way. */
  end(): void {
    this.lift();
    this.#over.abort();
  }
}

/** A signal that aborts with a `TimeoutError` after a time in ms, or when one of the others does. */
export function withTimeLimit(limitMs: number, ...signals: AbortSignal[]): AbortSignal {
  const limit = new TimeLimit(...signals);
  limit.set(limitMs);
  return limit.signal;
}
