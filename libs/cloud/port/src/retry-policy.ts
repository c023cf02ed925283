import type { CloudErrorKind } from './cloud-error';

/**
 * What to do after a provider's error:
 * - `retry`: the same call again, after a pause.
 * - `look-first`: ask `findByOwner` before anything else.
 * - `give-up`: repeating cannot help; a person or another request must change something.
 */
export type RetryDecision = 'retry' | 'look-first' | 'give-up';

const DECISIONS: Record<CloudErrorKind, RetryDecision> = {
  auth: 'give-up',
  invalid: 'give-up',
  'not-found': 'give-up',
  conflict: 'retry',
  quota: 'give-up',
  capacity: 'give-up',
  'rate-limited': 'retry',
  unavailable: 'retry',
  'outcome-unknown': 'look-first',
};

/** Whether a call that ended with an error of this kind is worth repeating. */
export function retryDecision(kind: CloudErrorKind): RetryDecision {
  return DECISIONS[kind];
}
