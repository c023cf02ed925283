import type { AdmittedRequest, RequestLimits } from '@agent-controller/cloud-port';
import {
  admitMany,
  BudgetControllers,
  CONFIRM,
  CREATE,
  DELETE,
  LIST_KEYS,
  LOOK,
  ORDER,
  refusalOf,
} from '../testing/budget-controllers';
import { providerRequestEnded } from '../signals';

const left = (remaining: number, limit?: number) => ({
  'ratelimit-remaining': String(remaining),
  ...(limit === undefined ? {} : { 'ratelimit-limit': String(limit) }),
});

describe('the budget of a project', () => {
  let controllers: BudgetControllers;

  beforeAll(async () => {
    controllers = await BudgetControllers.create();
  });
  afterAll(() => controllers.dispose());

  describe('the budget', () => {
    // It refills by less than one a minute, so that a slow machine sees none of it.
    const SLOW: RequestLimits = { perHour: 40 };

    it('tells what became of each request that was sent', async () => {
      const [gate] = controllers.gates();
      const told: string[] = [];
      const end = providerRequestEnded.listen(({ purpose, status }) => told.push(`${purpose} ${status}`));
      await (await gate.admit(LOOK)).settle({ status: 404 });
      await (await gate.admit(CREATE)).settle({ silence: 'outcome-unknown' });
      await (await gate.admit(DELETE)).settle({});
      end();
      expect(told).toEqual(['look 404', 'create outcome-unknown', 'delete no-answer']);
    });

    it('begins full, and keeps no token', async () => {
      const [gate] = controllers.gates();
      expect(await controllers.condition()).toMatchObject({ circuit: 'closed', budget: null });
      await gate.admit(LOOK);
      expect(await controllers.condition()).toMatchObject({ budget: { limit: 3_600, asOf: null } });
      expect(JSON.stringify(await controllers.row())).not.toContain(controllers.token.reveal());
    });

    it.each([
      ['looks', LOOK, 20],
      ['creates', CREATE, 36],
      ['deletes', DELETE, 39],
    ] as const)('is never overspent by %s of several controllers at once', async (_what, request, expected) => {
      const gates = controllers.gates(SLOW);
      expect(await admitMany(gates, request, 90)).toHaveLength(expected);
      expect(await controllers.row()).toMatchObject({ admitted: String(expected) });
    });

    it('keeps orders from taking what looks at ordered servers need, as long as these are waited for', async () => {
      const gates = controllers.gates(SLOW);
      await controllers.waitForServer(true);
      expect(await admitMany(gates, ORDER, 90)).toHaveLength(16);
      const refusal = await refusalOf(gates[0], ORDER);
      expect(refusal.message).toContain('ordering waits for looks at what was ordered before');
      expect(refusal.retryAfterMs).toBeGreaterThan(0);
      // What an order needs besides, such as a firewall, and looks go on.
      await gates[0].admit(CREATE);
      expect(await admitMany(gates, LOOK, 90)).toHaveLength(3);
      expect(await admitMany(gates, ORDER, 90)).toHaveLength(0);
      await controllers.waitForServer(false);
      expect(await admitMany(gates, ORDER, 90)).toHaveLength(16);
    });

    it('keeps orders from a minute’s limit only where one has booted for a while', async () => {
      const minute: RequestLimits = { perHour: 3_600_000, perMinute: { atOnce: 40, refill: 0.01 } };
      await controllers.waitForServer(true);
      expect(await admitMany(controllers.gates(minute), ORDER, 90)).toHaveLength(36);
      await controllers.waitForServer(true, 20_000);
      expect(await admitMany(controllers.gates(minute), ORDER, 90)).toHaveLength(16);
      await controllers.waitForServer(false);
    });

    it('lets deletes through when creates have to wait, and creates when looks have to', async () => {
      const gates = controllers.gates(SLOW);
      await admitMany(gates, LOOK, 60);
      expect(await refusalOf(gates[0], LOOK)).toMatchObject({
        kind: 'rate-limited',
        retryAfterMs: 30_000,
        message: expect.stringMatching(/^hetzner: \d+ of 40 requests an hour are left, so looking at servers waits$/),
      });
      expect(await admitMany(gates, CREATE, 60)).toHaveLength(16);
      expect((await refusalOf(gates[1], CREATE)).kind).toBe('rate-limited');
      expect(await admitMany(gates, DELETE, 60)).toHaveLength(3);
      expect((await refusalOf(gates[2], DELETE)).message).toContain('even deleting waits');
    });

    it('lets deletes through before proofs of earlier ones, and leaves what these need once they have begun', async () => {
      const minute: RequestLimits = { perHour: 3_600_000, perMinute: { atOnce: 100, refill: 0.01 } };
      const gates = controllers.gates(minute);
      expect(await admitMany(gates, CONFIRM, 120)).toHaveLength(35);
      expect((await refusalOf(gates[0], CONFIRM)).message).toContain('proving that servers are gone waits');
      // Of a minute's limit it leaves something to everybody.
      expect(await admitMany(gates, LOOK, 120)).toHaveLength(15);
      expect(await admitMany(gates, CREATE, 120)).toHaveLength(40);
      expect(await admitMany(gates, DELETE, 120)).toHaveLength(8);
      // An hour's may be low for long: orders stop before.
      const hour = controllers.gates({ perHour: 100 });
      expect(await admitMany(hour, CREATE, 120)).toHaveLength(90);
      expect(await admitMany(hour, CONFIRM, 120)).toHaveLength(6);
      expect(await admitMany(hour, DELETE, 120)).toHaveLength(2);
    });

    it('refills with time, and never beyond the limit', async () => {
      const [gate] = controllers.gates();
      await (await gate.admit(LOOK)).settle({ status: 200, headers: left(100) });
      expect((await refusalOf(gate, LOOK)).kind).toBe('rate-limited');
      await controllers.passSeconds(1_000);
      expect((await refusalOf(gate, LOOK)).kind).toBe('rate-limited');
      const { budget } = await controllers.condition();
      expect(budget?.remaining).toBeGreaterThanOrEqual(1_100);
      expect(budget?.remaining).toBeLessThan(1_200);
      await controllers.passSeconds(100_000);
      expect((await controllers.condition()).budget?.remaining).toBe(3_600);
      await gate.admit(LOOK);
    });

    it('takes the limit and what is left from answers, less what is in flight', async () => {
      const gates = controllers.gates(SLOW);
      const [before, told, after] = [
        await gates[0].admit(LOOK),
        await gates[1].admit(LOOK),
        await gates[2].admit(LOOK),
      ];
      await told.settle({ status: 200, headers: left(90, 100) });
      const { budget } = await controllers.condition();
      // One was let through before and one after: the answer may have counted neither.
      expect(budget).toMatchObject({ limit: 100, remaining: 88, asOf: expect.any(Date) as Date });
      // An older answer that comes later: the two after it have been counted by nobody that it knows of.
      await before.settle({ status: 200, headers: left(91) });
      expect((await controllers.condition()).budget?.remaining).toBe(89);
      await after.settle({ status: 404, headers: left(88) });
      expect((await controllers.condition()).budget?.remaining).toBe(86);
      expect((await controllers.row()).inFlight).toEqual([]);
    });

    it('believes an answer that there is more than was thought', async () => {
      const [gate] = controllers.gates();
      await (await gate.admit(LOOK)).settle({ status: 200, headers: left(200) });
      expect((await refusalOf(gate, CREATE)).kind).toBe('rate-limited');
      await (await gate.admit(DELETE)).settle({ status: 200, headers: left(3_599) });
      await gate.admit(CREATE);
    });

    it('never spends more than there is, whatever order answers come in', async () => {
      const gates = controllers.gates({ perHour: 100 });
      let provider = 60;
      const flying: { admitted: AdmittedRequest; told: number }[] = [];
      for (let round = 0; round < 8; round++) {
        const admitted = await admitMany(gates, DELETE, 12);
        flying.push(...admitted.map((each) => ({ admitted: each, told: --provider })));
        flying.sort(() => Math.random() - 0.5);
        const back = flying.splice(0, Math.ceil(flying.length / 2));
        await Promise.all(back.map(({ admitted: each, told }) => each.settle({ status: 200, headers: left(told) })));
      }
      expect(provider).toBeGreaterThanOrEqual(0);
      expect(provider).toBeLessThan(60);
    });

    it('forgets what was in flight at a controller that died', async () => {
      const gates = controllers.gates(SLOW);
      await admitMany(gates, LOOK, 10);
      await controllers.passSeconds(40);
      await (await gates[0].admit(LOOK)).settle({ status: 200, headers: left(30) });
      expect((await controllers.condition()).budget?.remaining).toBe(30);
      expect((await controllers.row()).inFlight).toEqual([]);
    });

    it('has a limit of a minute, and one for lists of keys, where the provider has', async () => {
      const limits = {
        perHour: 5_000,
        perMinute: { atOnce: 20, refill: 1 },
        keyListsPerMinute: { atOnce: 4, refill: 6 },
      };
      const gates = controllers.gates(limits);
      expect((await admitMany(gates, LIST_KEYS, 30)).length).toBe(4);
      const { message, retryAfterMs } = await refusalOf(gates[0], LIST_KEYS);
      expect(message).toContain('too many requests within a minute');
      expect(retryAfterMs).toBeLessThanOrEqual(10_000);
      expect(await admitMany(gates, LOOK, 30)).toHaveLength(6);
      expect(await admitMany(gates, DELETE, 30)).toHaveLength(9);
      await controllers.passSeconds(600);
      await gates[0].admit(LIST_KEYS);
    });
  });

  describe('when the provider asks to wait', () => {
    it('all controllers wait, with everything', async () => {
      const gates = controllers.gates();
      await (await gates[0].admit(CREATE)).settle({ status: 429, headers: { 'retry-after': '120' } });
      for (const request of [LOOK, CREATE, DELETE]) {
        const error = await refusalOf(gates[1], request);
        expect(error).toMatchObject({ kind: 'rate-limited', message: expect.stringContaining('asks to wait') });
        expect(error.retryAfterMs).toBeGreaterThan(100_000);
        expect(error.retryAfterMs).toBeLessThanOrEqual(120_000);
      }
      await controllers.passSeconds(121);
      await gates[2].admit(LOOK);
    });

    it('a shorter wait does not end a longer one', async () => {
      const gates = controllers.gates();
      const [one, other] = [await gates[0].admit(LOOK), await gates[1].admit(LOOK)];
      await one.settle({ status: 503, headers: { 'retry-after': '600' } });
      await other.settle({ status: 429, headers: { 'retry-after': '1' } });
      await controllers.passSeconds(60);
      expect((await refusalOf(gates[2], DELETE)).retryAfterMs).toBeGreaterThan(400_000);
    });

    it('what is left of the limit of key lists is not taken for that of the hour', async () => {
      const [gate] = controllers.gates({ perHour: 5_000, keyListsPerMinute: { atOnce: 4, refill: 6 } });
      await (await gate.admit(LIST_KEYS)).settle({ status: 200, headers: left(9, 10) });
      expect(await controllers.condition()).toMatchObject({ budget: { limit: 5_000, asOf: null } });
    });

    it('only lists of keys wait for their own limit', async () => {
      const [gate] = controllers.gates({ perHour: 5_000, keyListsPerMinute: { atOnce: 4, refill: 6 } });
      await (await gate.admit(LIST_KEYS)).settle({ status: 429, headers: { 'retry-after': '50' } });
      const { retryAfterMs } = await refusalOf(gate, LIST_KEYS);
      expect(retryAfterMs).toBeGreaterThan(30_000);
      expect(retryAfterMs).toBeLessThanOrEqual(50_000);
      await gate.admit(DELETE);
      await controllers.passSeconds(51);
      await gate.admit(LIST_KEYS);
    });
  });

  it('sends nothing that is not counted while the database is away', async () => {
    controllers.gates();
    const { budgets, gate, source } = await controllers.another();
    const admitted = await gate.admit(LOOK);
    await source.destroy();
    await admitted.settle({ status: 200 });
    expect(await refusalOf(gate, LOOK)).toMatchObject({ kind: 'unavailable', retryAfterMs: 5_000 });
    expect(controllers.warned).toHaveLength(2);
    expect(budgets.counts()).toEqual([
      { type: 'hetzner', outcome: 'ok', count: 1 },
      { type: 'hetzner', outcome: 'held-back', count: 1 },
    ]);
  });
});
