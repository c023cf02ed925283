import type { RequestGate } from '@agent-controller/cloud-port';
import { admitMany, BudgetControllers, CREATE, DELETE, LOOK, refusalOf } from '../testing/budget-controllers';

const fail = async (gate: RequestGate, request = LOOK, outcome: { status?: number } = {}) =>
  (await gate.admit(request)).settle(outcome);

describe('the circuit of a project', () => {
  let controllers: BudgetControllers;

  beforeAll(async () => {
    controllers = await BudgetControllers.create();
  });
  afterAll(() => controllers.dispose());

  const open = async (gate: RequestGate) => {
    for (let count = 0; count < 5; count++) await fail(gate, LOOK, count % 2 === 0 ? {} : { status: 503 });
  };

  it('opens for all after five requests in a row without a proper answer, and says so', async () => {
    const gates = controllers.gates();
    for (let count = 0; count < 4; count++) await fail(gates[count % gates.length]!);
    expect(await controllers.condition()).toMatchObject({ circuit: 'closed', openSince: null, retryAt: null });
    await fail(gates[1], CREATE, { status: 500 });
    expect(await controllers.condition()).toMatchObject({
      circuit: 'open',
      openSince: expect.any(Date) as Date,
      retryAt: expect.any(Date) as Date,
    });
    expect(controllers.warned).toEqual(['a provider does not answer: its circuit is open']);
    for (const request of [LOOK, CREATE, DELETE]) {
      expect(await refusalOf(gates[2], request)).toMatchObject({ kind: 'unavailable', retryAfterMs: 1_000 });
    }
  });

  it.each([
    ['an answer in between', { status: 200 }],
    ['a refusal in between', { status: 404 }],
  ])('does not open with %s', async (_what, outcome) => {
    const [gate] = controllers.gates();
    for (let count = 0; count < 4; count++) await fail(gate);
    await fail(gate, LOOK, outcome);
    for (let count = 0; count < 4; count++) await fail(gate);
    expect((await controllers.condition()).circuit).toBe('closed');
  });

  it('does not open for one sick server, but for silence', async () => {
    const [gate] = controllers.gates();
    for (let count = 0; count < 12; count++) await fail(gate, { ...DELETE, serverId: '7' }, { status: 500 });
    expect((await controllers.condition()).circuit).toBe('closed');
    for (let count = 0; count < 4; count++) await fail(gate, { ...DELETE, serverId: '7' });
    expect((await controllers.condition()).circuit).toBe('open');
  });

  it('lets exactly one request of all controllers try, and closes when that is answered', async () => {
    const gates = controllers.gates();
    await open(gates[0]);
    await controllers.passSeconds(2);
    const admitted = await admitMany(gates, LOOK, 30, 'unavailable');
    expect(admitted).toHaveLength(1);
    expect((await controllers.condition()).circuit).toBe('open');
    await admitted[0]?.settle({ status: 200 });
    expect(await controllers.condition()).toMatchObject({ circuit: 'closed', openSince: null, retryAt: null });
    expect(await admitMany(gates, LOOK, 10)).toHaveLength(10);
  });

  it('waits twice as long after each failed try, and a minute at most', async () => {
    const [gate] = controllers.gates();
    await open(gate);
    const { openSince } = await controllers.condition();
    const waits: number[] = [];
    for (let count = 0; count < 8; count++) {
      await controllers.passSeconds(61);
      await fail(gate);
      waits.push(Math.ceil(((await refusalOf(gate, LOOK)).retryAfterMs ?? 0) / 1000));
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
    expect((await controllers.condition()).openSince).toEqual(openSince);
  });

  it('lets another try when the one that did is lost with its controller', async () => {
    const gates = controllers.gates();
    await open(gates[0]);
    await controllers.passSeconds(2);
    const lost = await gates[1].admit(LOOK);
    await controllers.passSeconds(30);
    expect(await refusalOf(gates[2], LOOK)).toMatchObject({ kind: 'unavailable', retryAfterMs: 2_000 });
    await controllers.passSeconds(6);
    const second = await gates[2].admit(LOOK);
    // It comes back late, and is not the one that counts any more.
    await lost.settle({});
    expect((await refusalOf(gates[0], LOOK)).kind).toBe('unavailable');
    await second.settle({ status: 200 });
    expect((await controllers.condition()).circuit).toBe('closed');
  });

  it('does not wait longer for requests that were sent before it opened', async () => {
    const gates = controllers.gates();
    const early = await admitMany(gates, LOOK, 10);
    await open(gates[0]);
    await Promise.all(early.map((each) => each.settle({})));
    expect((await controllers.row()).failures).toBe(5);
    expect((await refusalOf(gates[1], LOOK)).retryAfterMs).toBe(1_000);
  });
});
