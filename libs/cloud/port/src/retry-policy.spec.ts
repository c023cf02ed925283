import { CLOUD_ERROR_KINDS } from './cloud-error';
import { retryDecision } from './retry-policy';

describe('retryDecision', () => {
  it.each([
    ['auth', 'give-up'],
    ['invalid', 'give-up'],
    ['not-found', 'give-up'],
    ['conflict', 'retry'],
    ['quota', 'give-up'],
    ['capacity', 'give-up'],
    ['rate-limited', 'retry'],
    ['unavailable', 'retry'],
    ['outcome-unknown', 'look-first'],
  ] as const)('%s → %s', (kind, decision) => {
    expect(retryDecision(kind)).toBe(decision);
  });

  it('knows every kind', () => {
    for (const kind of CLOUD_ERROR_KINDS) expect(retryDecision(kind)).toBeDefined();
  });
});
