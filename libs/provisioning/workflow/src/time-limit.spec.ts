import { PHASES } from './phases';
import { elapsedMs, timeLimitFailure } from './time-limit';

const START = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

const attempt = (changes: Partial<Parameters<typeof elapsedMs>[0]> = {}) => ({
  phase: 'booting' as const,
  attemptSince: START,
  pausedMs: 0,
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
  });
});

describe('timeLimitFailure', () => {
  const LIMIT_MS = 60_000;

  it('comes at the limit, not before', () => {
    expect(timeLimitFailure(attempt(), LIMIT_MS, after(59.999))).toBeNull();
    expect(timeLimitFailure(attempt(), LIMIT_MS, after(60))?.code).toBe('timed-out');
  });

  it('does not come while the provider cannot be asked', () => {
    expect(timeLimitFailure(attempt({ pausedSince: after(59) }), LIMIT_MS, after(3_600))).toBeNull();
    expect(timeLimitFailure(attempt({ pausedMs: 3_000_000 }), LIMIT_MS, after(3_059))).toBeNull();
  });

  it('names the limit, the phase, what was last seen, and what to do', () => {
    const failure = timeLimitFailure(attempt({ phase: 'installing', lastSeen: 'ECONNREFUSED' }), LIMIT_MS, after(61));
    expect(failure?.message).toMatch(
      /^Not ready after 60 s, in the phase installing \(.+\)\. Last seen: ECONNREFUSED\.$/,
    );
    expect(failure?.action).toMatch(/Retry.*Or delete/);
  });

  it('holds for the way to ready, and never for a removal', () => {
    const limited = PHASES.filter((phase) => timeLimitFailure(attempt({ phase }), LIMIT_MS, after(9_999)) !== null);
    expect(limited).toEqual(['creating-server', 'booting', 'installing', 'starting']);
  });
});
