import type { Logger } from '@agent-controller/kernel';
import type { RateDelta } from './rate-counts.repository';
import { RateLimiter, WINDOW_MS } from './rate-limiter';

describe('RateLimiter', () => {
  let now: number;
  /** What is shared by all controllers. */
  let sums: Map<string, RateDelta>;
  let statements: number;
  let isAway: boolean;
  let warnings: string[];

  beforeEach(() => {
    now = new Date('2026-11-23T12:00:10Z').getTime();
    [sums, statements, isAway, warnings] = [new Map(), 0, false, []];
  });

  function controller(): RateLimiter {
    const repository = {
      add: async (deltas: readonly RateDelta[]) => {
        if (isAway) throw new Error('away');
        statements++;
        return deltas.map(({ key, windowStart, count }) => {
          const known = sums.get(key);
          const isSame = known?.windowStart.getTime() === windowStart.getTime();
          const sum = { key, windowStart, count: count + (isSame ? known.count : 0) };
          sums.set(key, sum);
          return sum;
        });
      },
      forgetBefore: async () => undefined,
    };
    const warn = (_fields: object, message: string) => void warnings.push(message);
    return new RateLimiter(repository, { now: () => new Date(now) }, { warn } as unknown as Logger);
  }

  const take = (limiter: RateLimiter, times: number, key = 'a', limit = 5) =>
    Array.from({ length: times }, () => limiter.take(key, limit).allowed).filter(Boolean).length;

  it('allows as many as the limit in a minute, and says how many are left', () => {
    const limiter = controller();
    expect(limiter.take('a', 5)).toEqual({ allowed: true, limit: 5, remaining: 4, resetSeconds: 50 });
    expect(take(limiter, 10)).toBe(4);
    expect(limiter.take('a', 5)).toEqual({ allowed: false, limit: 5, remaining: 0, resetSeconds: 50 });
    expect(take(limiter, 10, 'b')).toBe(5);
    now += 50_000;
    expect(take(limiter, 10)).toBe(5);
  });

  it('has no limit where it is 0', () => {
    expect(take(controller(), 100, 'a', 0)).toBe(100);
  });

  it('looks without counting', () => {
    const limiter = controller();
    for (let index = 0; index < 9; index++) expect(limiter.peek('a', 1).allowed).toBe(true);
    take(limiter, 1, 'a', 1);
    expect(limiter.peek('a', 1)).toMatchObject({ allowed: false, remaining: 0 });
    expect(limiter.peek('a', 0).allowed).toBe(true);
    now += WINDOW_MS;
    expect(limiter.peek('a', 1).allowed).toBe(true);
  });

  it('counts for all controllers together', async () => {
    const [one, two] = [controller(), controller()];
    expect(take(one, 3)).toBe(3);
    await one.share();
    expect(take(two, 1)).toBe(1);
    await two.share();
    // Of five, one is left, and two knows.
    expect(take(two, 3)).toBe(1);
    await two.share();
    expect(take(one, 1)).toBe(1);
    await one.share();
    expect(take(one, 1) + take(two, 1)).toBe(0);
    expect(sums.get('a')?.count).toBe(6);
  });

  it('asks the database once for all that came meanwhile, and not at all when nothing did', async () => {
    const limiter = controller();
    for (let index = 0; index < 100; index++) take(limiter, 3, `key-${index}`);
    await Promise.all([limiter.share(), limiter.share()]);
    expect(statements).toBe(1);
    await limiter.share();
    expect(statements).toBe(1);
  });

  it('loses nothing that is counted while it exchanges', async () => {
    const limiter = controller();
    take(limiter, 2);
    const sharing = limiter.share();
    take(limiter, 2);
    await sharing;
    expect(take(limiter, 5)).toBe(1);
  });

  it('counts alone while the database is away, and says so once', async () => {
    const limiter = controller();
    isAway = true;
    take(limiter, 3);
    await limiter.share();
    await limiter.share();
    expect(take(limiter, 5)).toBe(2);
    expect(warnings).toEqual(['rates are counted by each controller alone at present']);
    isAway = false;
    await limiter.share();
    expect(sums.get('a')?.count).toBe(5);
  });

  it('does not grow without end', () => {
    const limiter = controller();
    for (let index = 0; index < 60_000; index++) limiter.take(`key-${index}`, 1);
    expect(limiter.peek('key-59999', 1).allowed).toBe(false);
    expect(limiter.peek('key-0', 1).allowed).toBe(true);
  });
});
