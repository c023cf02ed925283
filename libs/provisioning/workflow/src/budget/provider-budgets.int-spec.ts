import {
  CloudError,
  type AdmittedRequest,
  type GatedRequest,
  type RequestGate,
  type RequestLimits,
} from '@agent-controller/cloud-port';
import { dataSourceOptions } from '@agent-controller/database';
import { createTestDatabase, type TestDatabase } from '@agent-controller/database/testing';
import { Secret } from '@agent-controller/kernel';
import { createHash, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ProviderBudget } from './provider-budget.entity';
import { ProviderBudgets } from './provider-budgets.service';

const CONTROLLERS = 3;
const LOOK: GatedRequest = { purpose: 'look' };
const CREATE: GatedRequest = { purpose: 'create' };
const DELETE: GatedRequest = { purpose: 'delete' };
const left = (remaining: number, limit?: number) => ({
  'ratelimit-remaining': String(remaining),
  ...(limit === undefined ? {} : { 'ratelimit-limit': String(limit) }),
});

describe('ProviderBudgets', () => {
  let database: TestDatabase;
  let sources: DataSource[];
  let token: Secret;
  const warned: string[] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_fields: object, message: string) => void warned.push(message),
    error: () => undefined,
  };

  const connect = () =>
    new DataSource(
      dataSourceOptions({ url: database.url, poolSize: 4, applicationName: 'test', entities: [ProviderBudget] }),
    ).initialize();

  beforeAll(async () => {
    database = await createTestDatabase();
    sources = await Promise.all(Array.from({ length: CONTROLLERS }, connect));
  });
  afterAll(async () => {
    await Promise.all(sources.map((source) => source.destroy()));
    await database.drop();
  });
  beforeEach(() => {
    token = new Secret(`token-${randomUUID()}`);
    warned.length = 0;
  });

  /** Gates of as many controllers, over connections of their own. */
  function controllers(limits: RequestLimits): { gates: RequestGate[]; budgets: ProviderBudgets[] } {
    const budgets = sources.map((source) => new ProviderBudgets(source, logger));
    return { budgets, gates: budgets.map((each) => each.gate('hetzner', token, limits)) };
  }
  function gateWith(limits: RequestLimits = { perHour: 3_600 }): RequestGate {
    return controllers(limits).gates[0]!;
  }
  const condition = async () => {
    const budgets = new ProviderBudgets(sources[0]!, logger);
    budgets.gate('hetzner', token, { perHour: 3_600 });
    return (await budgets.conditions())[0]!;
  };
  const fingerprint = () => createHash('sha256').update(token.reveal()).digest('hex');
  const row = () => sources[0]!.getRepository(ProviderBudget).findOneByOrFail({ project: fingerprint() });
  /** As if so much time had passed. */
  const passSeconds = (seconds: number) =>
    sources[0]!.query(
      `UPDATE provider_budgets SET refilled_at = refilled_at - $2 * interval '1 second',
         blocked_until = blocked_until - $2 * interval '1 second', retry_at = retry_at - $2 * interval '1 second',
         in_flight = ARRAY(SELECT t - $2::bigint * 1000000 FROM unnest(in_flight) AS t)
       WHERE project = $1`,
      [fingerprint(), seconds],
    );

  async function refusal(gate: RequestGate, request: GatedRequest): Promise<CloudError> {
    const error: unknown = await gate.admit(request).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(CloudError);
    return error as CloudError;
  }
  /** Lets through what may pass of so many at once. */
  async function admitMany(gates: RequestGate[], request: GatedRequest, count: number): Promise<AdmittedRequest[]> {
    const tries = Array.from({ length: count }, (_, index) => gates[index % gates.length]!.admit(request));
    const results = await Promise.allSettled(tries);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'rate-limited' });
    }
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }
  const fail = async (gate: RequestGate, request = LOOK, outcome: { status?: number } = {}) =>
    (await gate.admit(request)).settle(outcome);

  describe('the budget', () => {
    // It refills by less than one a minute, so that a slow machine sees none of it.
    const SLOW: RequestLimits = { perHour: 40 };

    it('begins full, and keeps no token', async () => {
      const gate = gateWith();
      expect(await condition()).toMatchObject({ circuit: 'closed', budget: null });
      await gate.admit(LOOK);
      expect(await condition()).toMatchObject({ budget: { limit: 3_600, asOf: null } });
      const stored = JSON.stringify(await sources[0]!.query('SELECT * FROM provider_budgets'));
      expect(stored).not.toContain(token.reveal());
    });

    it.each([
      ['looks', LOOK, 20],
      ['creates', CREATE, 36],
      ['deletes', DELETE, 39],
    ] as const)('is never overspent by %s of several controllers at once', async (_what, request, expected) => {
      const { gates } = controllers(SLOW);
      expect(await admitMany(gates, request, 90)).toHaveLength(expected);
      expect(await row()).toMatchObject({ admitted: String(expected) });
    });

    it('lets deletes through when creates have to wait, and creates when looks have to', async () => {
      const { gates } = controllers(SLOW);
      await admitMany(gates, LOOK, 60);
      expect(await refusal(gates[0]!, LOOK)).toMatchObject({
        kind: 'rate-limited',
        retryAfterMs: 30_000,
        message: expect.stringMatching(/^hetzner: \d+ of 40 requests an hour are left, so looking at servers waits$/),
      });
      expect(await admitMany(gates, CREATE, 60)).toHaveLength(16);
      expect((await refusal(gates[1]!, CREATE)).kind).toBe('rate-limited');
      expect(await admitMany(gates, DELETE, 60)).toHaveLength(3);
      expect((await refusal(gates[2]!, DELETE)).message).toContain('even deleting waits');
    });

    it('refills with time, and never beyond the limit', async () => {
      const gate = gateWith();
      await (await gate.admit(LOOK)).settle({ status: 200, headers: left(100) });
      expect((await refusal(gate, LOOK)).kind).toBe('rate-limited');
      await passSeconds(1_000);
      expect((await refusal(gate, LOOK)).kind).toBe('rate-limited');
      const { budget } = await condition();
      expect(budget?.remaining).toBeGreaterThanOrEqual(1_100);
      expect(budget?.remaining).toBeLessThan(1_200);
      await passSeconds(100_000);
      expect((await condition()).budget?.remaining).toBe(3_600);
      await gate.admit(LOOK);
    });

    it('takes the limit and what is left from answers, less what is in flight', async () => {
      const { gates } = controllers(SLOW);
      const [before, told, after] = [
        await gates[0]!.admit(LOOK),
        await gates[1]!.admit(LOOK),
        await gates[2]!.admit(LOOK),
      ];
      await told.settle({ status: 200, headers: left(90, 100) });
      const { budget } = await condition();
      // One was let through before and one after: the answer may have counted neither.
      expect(budget).toMatchObject({ limit: 100, remaining: 88, asOf: expect.any(Date) as Date });
      // An older answer that comes later: the two after it have been counted by nobody that it knows of.
      await before.settle({ status: 200, headers: left(91) });
      expect((await condition()).budget?.remaining).toBe(89);
      await after.settle({ status: 404, headers: left(88) });
      expect((await condition()).budget?.remaining).toBe(86);
      expect((await row()).inFlight).toEqual([]);
    });

    it('believes an answer that there is more than was thought', async () => {
      const gate = gateWith();
      await (await gate.admit(LOOK)).settle({ status: 200, headers: left(200) });
      expect((await refusal(gate, CREATE)).kind).toBe('rate-limited');
      await (await gate.admit(DELETE)).settle({ status: 200, headers: left(3_599) });
      await gate.admit(CREATE);
    });

    it('never spends more than there is, whatever order answers come in', async () => {
      const { gates } = controllers({ perHour: 100 });
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
      const { gates } = controllers(SLOW);
      await admitMany(gates, LOOK, 10);
      await passSeconds(40);
      await (await gates[0]!.admit(LOOK)).settle({ status: 200, headers: left(30) });
      expect((await condition()).budget?.remaining).toBe(30);
      expect((await row()).inFlight).toEqual([]);
    });

    it('has a limit of a minute, and one for lists of keys, where the provider has', async () => {
      const limits = {
        perHour: 5_000,
        perMinute: { atOnce: 20, refill: 1 },
        keyListsPerMinute: { atOnce: 4, refill: 6 },
      };
      const { gates } = controllers(limits);
      const LIST: GatedRequest = { purpose: 'create', listsKeys: true };
      expect((await admitMany(gates, LIST, 30)).length).toBe(4);
      const { message, retryAfterMs } = await refusal(gates[0]!, LIST);
      expect(message).toContain('too many requests within a minute');
      expect(retryAfterMs).toBeLessThanOrEqual(10_000);
      expect(await admitMany(gates, LOOK, 30)).toHaveLength(6);
      expect(await admitMany(gates, DELETE, 30)).toHaveLength(9);
      await passSeconds(600);
      await gates[0]!.admit(LIST);
    });
  });

  describe('when the provider asks to wait', () => {
    it('all controllers wait, with everything', async () => {
      const { gates } = controllers({ perHour: 3_600 });
      await (await gates[0]!.admit(CREATE)).settle({ status: 429, headers: { 'retry-after': '120' } });
      for (const request of [LOOK, CREATE, DELETE]) {
        const error = await refusal(gates[1]!, request);
        expect(error).toMatchObject({ kind: 'rate-limited', message: expect.stringContaining('asks to wait') });
        expect(error.retryAfterMs).toBeGreaterThan(100_000);
        expect(error.retryAfterMs).toBeLessThanOrEqual(120_000);
      }
      await passSeconds(121);
      await gates[2]!.admit(LOOK);
    });

    it('a shorter wait does not end a longer one', async () => {
      const { gates } = controllers({ perHour: 3_600 });
      const [one, other] = [await gates[0]!.admit(LOOK), await gates[1]!.admit(LOOK)];
      await one.settle({ status: 503, headers: { 'retry-after': '600' } });
      await other.settle({ status: 429, headers: { 'retry-after': '1' } });
      await passSeconds(60);
      expect((await refusal(gates[2]!, DELETE)).retryAfterMs).toBeGreaterThan(400_000);
    });

    it('only lists of keys wait for their own limit', async () => {
      const gate = gateWith({ perHour: 5_000, keyListsPerMinute: { atOnce: 4, refill: 6 } });
      const LIST: GatedRequest = { purpose: 'create', listsKeys: true };
      await (await gate.admit(LIST)).settle({ status: 429, headers: { 'retry-after': '50' } });
      const { retryAfterMs } = await refusal(gate, LIST);
      expect(retryAfterMs).toBeGreaterThan(30_000);
      expect(retryAfterMs).toBeLessThanOrEqual(50_000);
      await gate.admit(DELETE);
      await passSeconds(51);
      await gate.admit(LIST);
    });
  });

  describe('the circuit', () => {
    const open = async (gate: RequestGate) => {
      for (let count = 0; count < 5; count++) await fail(gate, LOOK, count % 2 === 0 ? {} : { status: 503 });
    };

    it('opens for all after five requests in a row without a proper answer, and says so', async () => {
      const { gates } = controllers({ perHour: 3_600 });
      for (let count = 0; count < 4; count++) await fail(gates[count % CONTROLLERS]!);
      expect(await condition()).toMatchObject({ circuit: 'closed', openSince: null, retryAt: null });
      await fail(gates[1]!, CREATE, { status: 500 });
      expect(await condition()).toMatchObject({
        circuit: 'open',
        openSince: expect.any(Date) as Date,
        retryAt: expect.any(Date) as Date,
      });
      expect(warned).toEqual(['a provider does not answer: its circuit is open']);
      for (const request of [LOOK, CREATE, DELETE]) {
        expect(await refusal(gates[2]!, request)).toMatchObject({ kind: 'unavailable', retryAfterMs: 1_000 });
      }
    });

    it.each([
      ['an answer in between', { status: 200 }],
      ['a refusal in between', { status: 404 }],
    ])('does not open with %s', async (_what, outcome) => {
      const gate = gateWith();
      for (let count = 0; count < 4; count++) await fail(gate);
      await fail(gate, LOOK, outcome);
      for (let count = 0; count < 4; count++) await fail(gate);
      expect((await condition()).circuit).toBe('closed');
    });

    it('does not open for one sick server, but for silence', async () => {
      const gate = gateWith();
      for (let count = 0; count < 12; count++) await fail(gate, { ...DELETE, serverId: '7' }, { status: 500 });
      expect((await condition()).circuit).toBe('closed');
      for (let count = 0; count < 4; count++) await fail(gate, { ...DELETE, serverId: '7' });
      expect((await condition()).circuit).toBe('open');
    });

    it('lets exactly one request of all controllers try, and closes when that is answered', async () => {
      const { gates } = controllers({ perHour: 3_600 });
      await open(gates[0]!);
      await passSeconds(2);
      const results = await Promise.allSettled(
        Array.from({ length: 30 }, (_, index) => gates[index % CONTROLLERS]!.admit(LOOK)),
      );
      const admitted = results.filter((result) => result.status === 'fulfilled');
      expect(admitted).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'unavailable' });
      }
      expect((await condition()).circuit).toBe('open');
      await admitted[0]!.value.settle({ status: 200 });
      expect(await condition()).toMatchObject({ circuit: 'closed', openSince: null, retryAt: null });
      expect(await admitMany(gates, LOOK, 10)).toHaveLength(10);
    });

    it('waits twice as long after each failed try, and a minute at most', async () => {
      const gate = gateWith();
      await open(gate);
      const { openSince } = await condition();
      const waits: number[] = [];
      for (let count = 0; count < 8; count++) {
        await passSeconds(61);
        await fail(gate);
        waits.push(Math.ceil(((await refusal(gate, LOOK)).retryAfterMs ?? 0) / 1000));
      }
      expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
      expect((await condition()).openSince).toEqual(openSince);
    });

    it('lets another try when the one that did is lost with its controller', async () => {
      const { gates } = controllers({ perHour: 3_600 });
      await open(gates[0]!);
      await passSeconds(2);
      const lost = await gates[1]!.admit(LOOK);
      await passSeconds(30);
      expect(await refusal(gates[2]!, LOOK)).toMatchObject({ kind: 'unavailable', retryAfterMs: 2_000 });
      await passSeconds(6);
      const second = await gates[2]!.admit(LOOK);
      // It comes back late, and is not the one that counts any more.
      await lost.settle({});
      expect((await refusal(gates[0]!, LOOK)).kind).toBe('unavailable');
      await second.settle({ status: 200 });
      expect((await condition()).circuit).toBe('closed');
    });

    it('does not wait longer for requests that were sent before it opened', async () => {
      const { gates } = controllers({ perHour: 3_600 });
      const early = await admitMany(gates, LOOK, 10);
      await open(gates[0]!);
      await Promise.all(early.map((each) => each.settle({})));
      expect((await row()).failures).toBe(5);
      expect((await refusal(gates[1]!, LOOK)).retryAfterMs).toBe(1_000);
    });
  });

  it('sends nothing that is not counted while the database is away', async () => {
    const source = await connect();
    const budgets = new ProviderBudgets(source, logger);
    const gate = budgets.gate('hetzner', token, { perHour: 3_600 });
    const admitted = await gate.admit(LOOK);
    await source.destroy();
    await admitted.settle({ status: 200 });
    expect(await refusal(gate, LOOK)).toMatchObject({ kind: 'unavailable', retryAfterMs: 5_000 });
    expect(warned).toHaveLength(2);
    expect(budgets.counts()).toEqual([
      { type: 'hetzner', outcome: 'ok', count: 1 },
      { type: 'hetzner', outcome: 'held-back', count: 1 },
    ]);
  });
});
