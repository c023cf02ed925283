import { CLOUD_ERROR_KINDS, CloudError } from '@agent-controller/cloud-port';
import { backOffMs, cloudFailure, isPassing, stopsClock } from './cloud-failure';

describe('cloudFailure', () => {
  it.each(CLOUD_ERROR_KINDS)('says what happened and what to do after %s', (kind) => {
    const failure = cloudFailure(new CloudError(kind, 'what happened', { providerCode: 'x', requestId: 'r' }));
    expect(failure).toMatchObject({ message: 'what happened', providerCode: 'x', requestId: 'r' });
    expect(failure.action).not.toBe('');
  });

  it('stops the clock only while the provider cannot be asked', () => {
    const stopping = CLOUD_ERROR_KINDS.filter((kind) => stopsClock(new CloudError(kind, '')));
    expect(stopping).toEqual(['rate-limited', 'unavailable']);
  });

  it('gives up only on what a person must change', () => {
    const passing = CLOUD_ERROR_KINDS.filter((kind) => isPassing(new CloudError(kind, '')));
    expect(passing).toEqual(['conflict', 'rate-limited', 'unavailable', 'outcome-unknown']);
  });
});

describe('backOffMs', () => {
  it.each([
    [0, 1_000],
    [1, 2_000],
    [3, 8_000],
    [6, 60_000],
    [500, 60_000],
  ])('after %i errors in a row waits at most %i ms, and three quarters of it at least', (errors, most) => {
    expect(backOffMs(errors, 0, 1)).toBe(most);
    expect(backOffMs(errors, 0, 0)).toBe(most * 0.75);
  });

  it('obeys the provider when it asks for more', () => {
    expect(backOffMs(0, 30_000)).toBe(30_000);
  });
});
