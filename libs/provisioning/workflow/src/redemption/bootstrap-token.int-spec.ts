import { callbackService } from '../testing/callback-service';
import { RedeemingServer } from '../testing/redeeming-server';
import { ALL, NOW, RedemptionBench } from '../testing/redemption-bench';
import { reportWith, stageOf } from '../testing/server-report.fixture';

describe('the end of a bootstrap token', () => {
  let bench: RedemptionBench;
  beforeAll(async () => {
    bench = await RedemptionBench.create();
  });
  afterAll(() => bench.database.dispose());
  beforeEach(() => {
    bench.now = NOW;
  });

  it.each([
    ['booting', 'present', true],
    ['creating-server', 'present', true],
    ['installing', 'absent', false],
    ['starting', 'present', false],
    ['ready', 'present', false],
    ['failed', 'present', false],
    ['replacing', 'present', false],
    ['deleting', 'absent', false],
  ] as const)('in the phase %s, when it is to be %s: %s', async (phase, intent, isGood) => {
    const to = bench.service();
    const row = await bench.ordered({ phase, intent });
    expect(await bench.redeem(to, row, new RedeemingServer())).toEqual(isGood ? ALL : 'unauthorized');
  });

  it.each([
    ['ready', { phase: 'starting' }, { kind: 'advance', phase: 'ready' }],
    ['starting', { phase: 'installing' }, { kind: 'advance', phase: 'starting' }],
    ['failed', { phase: 'installing' }, { kind: 'fail', failure: { code: 'timed-out', message: 'x', action: 'y' } }],
    ['deleting', { phase: 'installing' }, { kind: 'advance', phase: 'deleting' }],
  ] as const)('forgets the token with the phase %s', async (_phase, changes, result) => {
    const row = await bench.ordered({ ...changes, leaseOwner: 'me', leaseUntil: new Date(Date.now() + 60_000) });
    const reference = await bench.database.get(row.id);
    expect(reference.bootstrapTokenHash).not.toBeNull();
    await bench.database.stepCommit.commit({ reference, leaseOwner: 'me' }, result, bench.clock.now());
    expect(await bench.database.get(row.id)).toMatchObject({ phase: _phase, bootstrapTokenHash: null });
  });

  it('refuses after the time limit, though nobody has noticed it yet, and without secrets', async () => {
    const to = bench.service();
    const late = await bench.ordered({ attemptSince: new Date(NOW - bench.database.options.provisioningTimeoutMs) });
    expect(await bench.redeem(to, late, new RedeemingServer())).toBe('unauthorized');
    const wiped = await bench.ordered({ sealedSecrets: null });
    expect(await bench.redeem(to, wiped, new RedeemingServer())).toBe('unauthorized');
  });

  it('gives a new attempt a new token and no key', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const first = new RedeemingServer();
    expect(await bench.redeem(to, row, first)).toEqual(ALL);
    const lease = { leaseOwner: 'me', leaseUntil: new Date(Date.now() + 60_000) };
    await bench.database.dataSource.manager.update('provisioning_references', row.id, { attempt: 2, ...lease });
    // As an earlier version's controller would leave it.
    expect(await bench.redeem(to, row, first, { attempt: 2 })).toBe('unauthorized');
    const again = await bench.database.get(row.id);
    const order = { sentinelId: 'key', firewallName: null, at: bench.clock.now(), ...bench.tokens.storedHashes(again) };
    const seen = { version: again.version, leaseOwner: 'me' };
    expect(await bench.database.provisionings.markCreateRequested(row.id, seen, order)).toBe(true);
    expect(await bench.redeem(to, row, first, { attempt: 2 })).toBe('unauthorized');
    const token = bench.tokens.redemption(again)?.token ?? '';
    expect(await bench.redeem(to, { ...row, token }, new RedeemingServer(), { attempt: 2 })).toEqual(ALL);
  });

  it('is over when the server says that its proxy runs; reports are taken with both tokens until then', async () => {
    const to = bench.service();
    const callbacks = callbackService(bench.database, bench.clock);
    const row = await bench.ordered();
    const server = new RedeemingServer();
    await callbacks.take(row.id, row.token, reportWith({ seq: 1, stages: [stageOf('secrets', 0)] }));
    expect(await bench.redeem(to, row, server)).toEqual(ALL);
    const token = bench.tokens.callback({ id: row.id, attempt: 1 })?.token ?? '';
    await callbacks.take(
      row.id,
      token,
      reportWith({ seq: 2, stages: [stageOf('secrets', 0, 5), stageOf('proxy', 5)] }),
    );
    expect(await bench.redeem(to, row, server)).toEqual(ALL);
    await callbacks.take(row.id, token, reportWith({ seq: 3, stages: [stageOf('proxy', 5, 9)] }));
    expect(await bench.redeem(to, row, server)).toBe('unauthorized');
    await expect(callbacks.take(row.id, row.token, reportWith({ seq: 4 }))).rejects.toMatchObject({
      code: 'unauthorized',
    });
    await callbacks.take(row.id, token, reportWith({ seq: 5 }));
  });
});
