import { AppError } from '@agent-controller/kernel';
import { MAX_WAIT_SECONDS, preferredWaitSeconds } from './prefer-header';

describe('preferredWaitSeconds', () => {
  it.each<[string | string[] | undefined, number | null]>([
    [undefined, null],
    ['', null],
    [[], null],
    ['respond-async', null],
    ['return=minimal, handling=lenient', null],
    ['waiting=5', null],
    ['wait=0', 0],
    ['wait=5', 5],
    ['wait=007', 7],
    ['WAIT=5', 5],
    ['  wait = 5  ', 5],
    ['respond-async, wait=5', 5],
    ['wait=5, respond-async', 5],
    ['respond-async; wait=5', 5],
    [['respond-async', 'wait=5'], 5],
    ['wait=5, wait=9', 5],
    ['wait', MAX_WAIT_SECONDS],
    ['wait=600', MAX_WAIT_SECONDS],
    ['wait=601', MAX_WAIT_SECONDS],
    [`wait=${'9'.repeat(400)}`, MAX_WAIT_SECONDS],
  ])('%j means %j', (header, seconds) => {
    expect(preferredWaitSeconds(header)).toBe(seconds);
  });

  it.each(['wait=', 'wait=soon', 'wait=-1', 'wait=1.5', 'wait=1e3', 'wait=0x10', 'wait=5s', 'wait=5 6'])(
    'refuses %j and says what is right',
    (header) => {
      let error: unknown;
      try {
        preferredWaitSeconds(header);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(AppError);
      const { code, options } = error as AppError;
      expect(code).toBe('validation-failed');
      expect(options.errors).toEqual([
        { field: 'Prefer', message: 'wait must be a whole number of seconds, at most 600' },
      ]);
    },
  );
});
