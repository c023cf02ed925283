import { retryDecision, type CloudError, type CloudErrorKind } from '@agent-controller/cloud-port';
import type { ProvisioningFailure } from '../provisioning.types';
import type { Failure } from './step';

const FAILURES: Record<CloudErrorKind, { code: ProvisioningFailure['code']; action: string }> = {
  auth: {
    code: 'provider-auth',
    action: "Check the provider's API token: it must be valid and may write. Then retry, or delete.",
  },
  invalid: { code: 'provider-invalid', action: 'Delete this provisioning and request one that the provider accepts.' },
  'not-found': {
    code: 'provider-invalid',
    action: 'Something that the request names is not in the project. Retry, or delete.',
  },
  conflict: { code: 'provider-conflict', action: 'Nothing: it is tried again.' },
  quota: {
    code: 'provider-quota',
    action: "Raise the provider account's limit or remove servers there. Then retry, or delete.",
  },
  capacity: {
    code: 'provider-capacity',
    action: 'Retry later, or delete and request another server type or location.',
  },
  'rate-limited': { code: 'provider-rate-limited', action: 'Nothing: it goes on when the provider allows.' },
  unavailable: { code: 'provider-unavailable', action: 'Nothing: it goes on when the provider answers again.' },
  'outcome-unknown': { code: 'outcome-unknown', action: 'Nothing: the provider is asked what became of the request.' },
};

const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

export function cloudFailure(error: CloudError): Failure {
  const { code, action } = FAILURES[error.kind];
  return { code, action, message: error.message, providerCode: error.providerCode, requestId: error.requestId };
}

/** Whether a provisioning can go on by itself after this error. */
export function isPassing(error: CloudError): boolean {
  return retryDecision(error.kind) !== 'give-up';
}

/** Whether the provider could not be asked, so that time limits stand still. */
export function stopsClock(error: CloudError): boolean {
  return error.kind === 'unavailable' || error.kind === 'rate-limited';
}

/** Exponential, with up to a quarter of jitter, and never sooner than the provider asks. */
export function backOffMs(consecutiveErrors: number, retryAfterMs = 0, random = Math.random()): number {
  const exponential = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** Math.min(consecutiveErrors, 10));
  return Math.round(Math.max(exponential * (0.75 + random / 4), retryAfterMs));
}
