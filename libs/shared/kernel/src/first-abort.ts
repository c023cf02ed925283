import { setMaxListeners } from 'node:events';

/**
 * A signal that aborts as soon as one of the others does, with its reason. One of them must abort in the end: what the others
 * know of it goes then.
 *
 * `AbortSignal.any` leaves a weak reference in each of its sources, which Node 20 never takes out again: a signal that lives
 * as long as the process, such as the one of the shutdown, grew by some for each server and for each look at one.
 */
export function firstAbort(...signals: readonly AbortSignal[]): AbortSignal {
  const first = new AbortController();
  const abort = ({ reason }: AbortSignal) => {
    first.abort(reason);
    for (const signal of signals) signal.removeEventListener('abort', listen);
  };
  const listen = ({ target }: Event) => abort(target as AbortSignal);
  const over = signals.find(({ aborted }) => aborted);
  if (over) abort(over);
  else {
    // Many wait for the one of the shutdown, and Node would take them for a leak.
    setMaxListeners(0, ...signals);
    for (const signal of signals) signal.addEventListener('abort', listen);
  }
  return first.signal;
}
