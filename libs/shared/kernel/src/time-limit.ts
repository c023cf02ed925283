import { firstAbort } from './first-abort';

/**
 * A signal that aborts with a `TimeoutError` after a time in ms, or when one of the others does.
 *
 * Nothing but `AbortSignal.any` knows an `AbortSignal.timeout`, and that weakly: in Node 20 such a limit is gone at the next
 * garbage collection and never aborts. A timer holds its controller, and ends what the others know of it.
 */
export function withTimeLimit(limitMs: number, ...signals: AbortSignal[]): AbortSignal {
  const limit = new AbortController();
  const timedOut = () => limit.abort(new DOMException(`Not done within ${limitMs} ms`, 'TimeoutError'));
  setTimeout(timedOut, limitMs).unref();
  return firstAbort(limit.signal, ...signals);
}
