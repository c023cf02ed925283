import { PHASES } from './phases';
import { elapsedMs, phaseElapsedMs, timeLimitFailure, untilTimeLimitMs } from './time-limit';

const START = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

const attempt = (changes: Partial<Parameters<typeof elapsedMs>[0]> = {}) => ({
  phase: 'booting' as const,
  phaseSince: START,
  attemptSince: START,
  pausedMs: 0,
  pausedMsBeforePhase: 0,
  pausedSince: null,
  lastSeen: null,
  ...changes,
});

describe('elapsedMs', () => {
  it.each([
    ['the time since the attempt began', attempt(), 90, 90_000],
    ['without what was paused', attempt({ pausedMs: 30_000 }), 90, 60_000],
    ['standing still while paused', attempt({ pausedSince: after(10) }), 90, 10_000],
    ['both', attempt({ pausedMs: 4_000, pausedSince: after(10) }), 90, 6_000],
    ['never less than nothing', attempt({ pausedMs: 200_000 }), 90, 0],
    ['nothing before the beginning, by a clock that is behind', attempt(), -5, 0],
  ])('is %s', (_what, timed, seconds, elapsed) => {
    expect(elapsedMs(timed, after(seconds))).toBe(elapsed);
    expect(phaseElapsedMs(timed, after(seconds))).toBe(elapsed);
  });

  it('counts for a phase only its own time and its own pauses', () => {
    const timed = attempt({ phaseSince: after(50), pausedMs: 25_000, pausedMsBeforePhase: 20_000 });
    expect(elapsedMs(timed, after(100))).toBe(75_000);
    expect(phaseElapsedMs(timed, after(100))).toBe(45_000);
  });
});

describe('timeLimitFailure', () => {
  const minute = 60_000;
  const limits = {
    provisioningTimeoutMs: minute,
    phaseTimeoutMs: { 'creating-server': minute, booting: minute, installing: minute, starting: minute },
  };
  const longer = { ...limits, provisioningTimeoutMs: 10 * minute };

  it('comes at the limit, not before', () => {
    expect(timeLimitFailure(attempt(), limits, after(59.999))).toBeNull();
    expect(timeLimitFailure(attempt(), limits, after(60))?.code).toBe('timed-out');
  });

  it('comes at the limit of the phase, counted from its beginning', () => {
    expect(timeLimitFailure(attempt({ phaseSince: after(100) }), longer, after(159))).toBeNull();
    const failure = timeLimitFailure(attempt({ phaseSince: after(100) }), longer, after(160));
    expect(failure?.message).toMatch(/^The phase booting did not end within 60 s/);
  });

  it.each([limits, longer])('does not come while the provider cannot be asked', (either) => {
    expect(timeLimitFailure(attempt({ pausedSince: after(59) }), either, after(3_600))).toBeNull();
    expect(timeLimitFailure(attempt({ pausedMs: 3_000_000 }), either, after(3_059))).toBeNull();
  });

  it.each([
    ['Not ready after 60 s, in the phase installing', limits],
    ['The phase installing did not end within 60 s', longer],
  ])('names the limit, the phase, what was last seen, and what to do: %s', (what, either) => {
    const failure = timeLimitFailure(attempt({ phase: 'installing', lastSeen: 'ECONNREFUSED' }), either, after(61));
    expect(failure?.message.startsWith(`${what} (`)).toBe(true);
    expect(failure?.message).toMatch(/\)\. Last seen: ECONNREFUSED\.$/);
    expect(failure?.action).toMatch(/reach the internet.*Retry.*Or delete/);
  });

  it('holds for the way to ready, and never for a removal', () => {
    const limited = PHASES.filter((phase) => timeLimitFailure(attempt({ phase }), limits, after(9_999)) !== null);
    expect(limited).toEqual(['creating-server', 'booting', 'installing', 'starting']);
  });
});

describe('untilTimeLimitMs', () => {
  const minute = 60_000;
  const limits = {
    provisioningTimeoutMs: 2 * minute,
    phaseTimeoutMs: { 'creating-server': minute, booting: minute, installing: minute, starting: minute },
  };

  it.each([
    ["the phase's end", attempt({ phaseSince: after(30) }), 50, 40_000],
    ["the attempt's end, when that comes first", attempt({ phaseSince: after(100) }), 110, 10_000],
    ['nothing when it is over', attempt(), 90, 0],
    ['longer by what was paused', attempt({ pausedMs: 5_000 }), 10, 55_000],
    ['no time while the clock stands', attempt({ pausedSince: after(59) }), 3_600, null],
    ['no time where there is no limit', attempt({ phase: 'deleting' as never }), 10, null],
  ])('is %s', (_what, timed, seconds, expected) =>
    expect(untilTimeLimitMs(timed, limits, after(seconds))).toBe(expected),
  );

  it('ends when the failure comes', () => {
    const timed = attempt({ phaseSince: after(7) });
    const end = new Date(after(20).getTime() + (untilTimeLimitMs(timed, limits, after(20)) ?? 0));
    expect(timeLimitFailure(timed, limits, end)?.code).toBe('timed-out');
    expect(timeLimitFailure(timed, limits, new Date(end.getTime() - 1))).toBeNull();
  });
});
