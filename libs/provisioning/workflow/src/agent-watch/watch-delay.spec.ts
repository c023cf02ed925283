import { dueAfterMs, watchDelayMs } from './watch-delay';

const SINCE = new Date(1_000_000);
const after = (waitedMs: number, count = 1, { lookMs = 10, due = count, usualMs = null as number | null } = {}) => {
  const now = new Date(SINCE.getTime() + waitedMs);
  const began = new Date(now.getTime() - lookMs);
  return { crowd: { count, due }, dueAfterMs: dueAfterMs(usualMs), phaseSince: SINCE, began, now };
};

describe('watchDelayMs', () => {
  it.each([
    ['for a while', after(0), 750],
    ['after a minute', after(60_000), 1_000],
    ['after three minutes', after(180_000), 3_000],
    ['after an hour', after(3_600_000), 5_000],
    ['among a hundred', after(10_000, 100), 750],
    ['among a hundred, though it usually takes longer', after(10_000, 100, { usualMs: 60_000 }), 750],
    ['among six hundred, of whom a controller can look at so many in a second', after(10_000, 600), 2_000],
    ['among thousands', after(10_000, 9_000), 5_000],
    ['among thousands, of whom few are due', after(10_000, 9_000, { due: 60, usualMs: 10_000 }), 750],
    ['when the look itself was slow', after(10_000, 1, { lookMs: 1_500 }), 5_000],
  ])('%s is at most so long, and four fifths of it at least', (_when, look, most) => {
    expect(watchDelayMs(look, 1)).toBe(most);
    expect(watchDelayMs(look, 0)).toBe(most * 0.8);
  });

  it.each([
    ['until it is due', after(1_000, 600, { due: 100, usualMs: 10_000 }), 7_750],
    ['for a quarter of a minute at most', after(0, 600, { due: 100, usualMs: 120_000 }), 15_000],
  ])('leaves one of a crowd alone %s', (_when, look, expected) => {
    expect(watchDelayMs(look)).toBe(expected);
  });
});
