/**
 * A signal that aborts with a `TimeoutError` after a time in ms, or when one of the others does.
 *
 * `AbortSignal.any` knows its sources weakly, and nothing else knows an `AbortSignal.timeout`: in Node 20 such a limit
 * is gone at the next garbage collection and never aborts. A timer holds its controller.
 */
export function withTimeLimit(limitMs: number, ...signals: AbortSignal[]): AbortSignal {
  const limit = new AbortController();
  const timedOut = () => limit.abort(new DOMException(`Not done within ${limitMs} ms`, 'TimeoutError'));
  setTimeout(timedOut, limitMs).unref();
  return AbortSignal.any([limit.signal, ...signals]);
}
