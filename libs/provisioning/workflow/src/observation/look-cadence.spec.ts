import { crowdOf, planLook, type Circumstances, type Waiting } from './look-cadence';

const STALE_MS = 45_000;
const among = (count: number, ageMs: number, changes: Partial<Waiting> = {}): Waiting[] =>
  Array.from({ length: count }, () => ({ ageMs, unseenMs: ageMs, isPaused: false, ...changes }));
const given = (changes: Partial<Circumstances> = {}): Circumstances => ({
  ...{ usualMs: null, lastLook: null, staleMs: STALE_MS, crowd: 1 },
  ...changes,
});

/**
 * Lets time pass for servers that begin to run at a given age; looks cost as told.
 * @returns how late each was seen, and what all looks cost
 */
function simulate(
  count: number,
  { bootMs = 30_000, usualMs = null as number | null, spreadMs = 10_000, requests = 1 },
) {
  const births = Array.from({ length: count }, (_, n) => (n * spreadMs) / count);
  const delays: number[] = [];
  let waiting = births;
  let lookedAt: number | null = null;
  let spent = 0;
  const crowd = { crowd: 0, at: 0 };
  for (let now = 0; waiting.length > 0 && now < 10 * bootMs;) {
    const born = waiting.filter((birth) => birth <= now);
    if (born.length === 0) {
      now += 100;
      continue;
    }
    crowd.crowd = crowdOf(born.length, { crowd: crowd.crowd, agoMs: now - crowd.at });
    crowd.at = now;
    const lastLook = lookedAt === null ? null : { agoMs: now - lookedAt, requests };
    const plan = planLook(
      born.map((birth) => ({ ageMs: now - birth, unseenMs: now - birth, isPaused: false })),
      { usualMs, lastLook, staleMs: STALE_MS, crowd: crowd.crowd },
    );
    if (plan.due.length > 0) {
      spent += requests;
      lookedAt = now;
      const running = plan.due.flatMap((place) => born[place] ?? []).filter((birth) => birth + bootMs <= now);
      delays.push(...running.map((birth) => now - birth - bootMs));
      waiting = waiting.filter((birth) => !running.includes(birth));
    }
    now += plan.waitMs;
  }
  delays.sort((a, b) => a - b);
  return { seen: delays.length, p95: delays[Math.ceil(0.95 * delays.length) - 1], requestsEach: spent / count };
}

describe('planLook', () => {
  it('lets nobody wait for a first look of whom nothing is known', () => {
    expect(planLook(among(2, 0), given())).toMatchObject({ due: [0, 1], runningOnly: true });
  });

  it('looks at nobody before boots usually end, then at whom it is time for', () => {
    const usual = given({ usualMs: 30_000, lastLook: { agoMs: 5_000, requests: 1 } });
    expect(planLook(among(3, 10_000), usual).due).toEqual([]);
    expect(planLook([...among(2, 10_000), ...among(1, 28_000)], usual)).toMatchObject({ due: [2], runningOnly: true });
  });

  it('looks at all after a while though nothing is due: a boot may be quicker than all before', () => {
    const usual = (agoMs: number) => given({ usualMs: 120_000, lastLook: { agoMs, requests: 1 } });
    expect(planLook(among(3, 14_000), usual(60_000)).due).toEqual([]);
    expect(planLook(among(3, 15_000), usual(14_000)).due).toEqual([]);
    expect(planLook(among(3, 15_000), usual(60_000)).due).toEqual([0, 1, 2]);
  });

  it.each([
    ['were not seen for long', { unseenMs: STALE_MS }],
    ['have a clock that stands still', { isPaused: true }],
  ])('looks thoroughly when some %s', (_why, changes) => {
    const usual = given({ usualMs: 120_000, lastLook: { agoMs: 5_000, requests: 1 } });
    const plan = planLook([...among(1, 10_000), ...among(1, 10_000, changes)], usual);
    expect(plan).toMatchObject({ due: [1], runningOnly: false });
  });

  it('looks at once at a server that speaks', () => {
    const usual = given({ usualMs: 120_000, lastLook: { agoMs: 5_000, requests: 1 } });
    const plan = planLook([...among(1, 10_000), ...among(1, 10_000, { speaks: true })], usual);
    expect(plan).toMatchObject({ due: [1], runningOnly: true });
  });

  it('never looks more often than once in 0.85 s for many, nor than its cost allows', () => {
    const after = (agoMs: number, requests: number) =>
      planLook(among(1_000, 30_000), given({ lastLook: { agoMs, requests }, crowd: 1_000 })).due.length;
    expect([after(849, 1), after(850, 1)]).toEqual([0, 1_000]);
    expect([after(2_499, 10), after(2_500, 10)]).toEqual([0, 1_000]);
  });

  it('looks less often at what takes longer than usual, up to a limit', () => {
    const after = (ageMs: number, agoMs: number) =>
      planLook(among(1, ageMs), given({ usualMs: 30_000, lastLook: { agoMs, requests: 1 } })).due.length;
    expect([after(24_000, 750), after(35_000, 1_000), after(35_000, 3_000)]).toEqual([1, 0, 1]);
    expect([after(600_000, 4_999), after(600_000, 5_000)]).toEqual([0, 1]);
  });

  it('says when there is more to say', () => {
    expect(planLook(among(1, 22_900), given({ usualMs: 30_000, lastLook: { agoMs: 0, requests: 1 } })).waitMs).toBe(
      100,
    );
    expect(planLook(among(1, 1_000), given({ usualMs: 30_000 })).waitMs).toBe(750);
  });

  it.each([
    [100, { usualMs: null }, 1_500, 0.5],
    [100, { usualMs: 30_000 }, 1_500, 0.3],
    [100, { usualMs: 4_000 }, 1_500, 0.5],
    [100, { usualMs: 29_500, requests: 2 }, 2_000, 0.5],
    [1_000, { usualMs: null, spreadMs: 40_000 }, 1_500, 0.1],
    [1_000, { usualMs: 30_000, spreadMs: 40_000, requests: 3 }, 3_000, 0.4],
  ])('for %d boots of 30 s, knowing %j, adds no more than %d ms for %d requests each', (count, world, ms, each) => {
    const { seen, p95, requestsEach } = simulate(count, world);
    expect(seen).toBe(count);
    expect(p95).toBeLessThanOrEqual(ms);
    expect(requestsEach).toBeLessThanOrEqual(each);
  });
});
