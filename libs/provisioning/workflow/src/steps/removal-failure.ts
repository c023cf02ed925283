import type { CloudError, CloudErrorKind } from '@agent-controller/cloud-port';
import type { Phase } from '../phases';
import { backOffMs, cloudFailure } from './cloud-failure';
import type { Failure } from './step';

/** Phases in which servers are only removed, and nothing is ordered. */
const REMOVING_PHASES: readonly Phase[] = ['deleting', 'replacing'];
/** What only a person can change. All else passes: nobody is told that it is over while a server may be billed. */
const FINAL_KINDS: readonly CloudErrorKind[] = ['auth', 'invalid'];
/** What passes by itself, mostly soon: locked, pending event, must be unassigned; the provider is there. */
const SHORT_KINDS: readonly CloudErrorKind[] = ['conflict', 'quota', 'capacity', 'not-found'];

const MIN_DELAY_MS = 2_000;
const MAX_DELAY_MS = 15_000;

const BILLED = 'The server may still run, and is billed while it does.';
const PROTECTED =
  'Where a delete protection was set at the provider by hand, take it away there first; otherwise see the message.';

export function isRemoving(phase: Phase): boolean {
  return REMOVING_PHASES.includes(phase);
}

/** Whether a removal cannot go on by itself after this error. */
export function endsRemoval({ kind }: CloudError): boolean {
  return FINAL_KINDS.includes(kind);
}

/** What is told of an error met while a server is removed. */
export function removalFailure(error: CloudError, phase: Phase): Failure {
  const failure = cloudFailure(error);
  if (error.kind === 'auth') return { ...failure, action: `${failure.action} ${BILLED}` };
  if (error.kind === 'invalid') {
    const again = phase === 'deleting' ? 'Delete again' : 'Retry, or delete';
    return { ...failure, action: `${again}. ${BILLED} ${PROTECTED}` };
  }
  if (!SHORT_KINDS.includes(error.kind)) return failure;
  return { ...failure, code: 'provider-conflict', action: 'Nothing: the removal is tried again until it is done.' };
}

/** Short for what passes soon; otherwise as of any step. Never sooner than the provider asks. */
export function removalDelayMs(error: CloudError, consecutiveErrors: number, random = Math.random()): number {
  if (!SHORT_KINDS.includes(error.kind)) return backOffMs(consecutiveErrors, error.retryAfterMs, random);
  const exponential = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** Math.min(consecutiveErrors, 10));
  return Math.round(Math.max(MIN_DELAY_MS, exponential * (0.75 + random / 4), error.retryAfterMs ?? 0));
}
