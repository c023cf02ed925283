import { pollDelayMs } from './poll-delay';

describe('pollDelayMs', () => {
  it.each([
    [0, 500],
    [5_000, 500],
    [20_000, 2_000],
    [50_000, 5_000],
    [3_600_000, 5_000],
  ])('after %i ms of waiting is at most %i ms, and four fifths of it at least', (waited, most) => {
    const since = new Date(1_000_000);
    const now = new Date(1_000_000 + waited);
    expect(pollDelayMs(since, now, 1)).toBe(most);
    expect(pollDelayMs(since, now, 0)).toBe(most * 0.8);
  });
});
