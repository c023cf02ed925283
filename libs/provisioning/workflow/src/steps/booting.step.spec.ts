import { CloudError } from '@agent-controller/cloud-port';
import { SentinelService } from '../sentinel.service';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { contextWith, NOW, ownerOf, secondsAgo, SENTINEL } from '../testing/step-context.fixture';
import { BootingStep } from './booting.step';

describe('BootingStep', () => {
  let provider: FakeCloudProvider;
  let step: BootingStep;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    provider.keys.add(SENTINEL);
    step = new BootingStep(new SentinelService());
  });

  const run = (reference: Parameters<typeof contextWith>[0]) =>
    step.run(contextWith({ phase: 'booting', serverId: '7', sentinelId: SENTINEL, ...reference }, { provider }));
  const unseen = { observedAt: secondsAgo(61) };

  it.each([
    ['192.0.2.7', 'https://192.0.2.7:3000'],
    ['2001:db8::1', 'https://[2001:db8::1]:3000'],
  ])('goes on once the server runs at %s', async (publicIp, endpoint) => {
    expect(await run({ serverStatus: 'running', publicIp, missingSince: secondsAgo(5) })).toMatchObject({
      kind: 'advance',
      phase: 'installing',
      patch: { missingSince: null },
      clientPatch: { endpoint },
    });
    expect(provider.calls).toEqual([]);
  });

  it.each([
    ['it does not run yet', { serverStatus: 'creating' as const, publicIp: '192.0.2.7' }],
    ['it has no address yet', { serverStatus: 'running' as const }],
  ])('leaves the asking to the observer while %s', async (_what, seen) => {
    const result = await run({
      ...seen,
      observedAt: secondsAgo(5),
      providerMetadata: { providerStatus: 'initializing' },
    });
    expect(result).toMatchObject({ kind: 'wait', patch: { lastSeen: 'Fake Cloud says: initializing' } });
    expect(provider.calls).toEqual([]);
  });

  it('asks by id when nobody saw the server for a minute', async () => {
    provider.add('7', ownerOf(1), { status: 'running', publicIpv4: '192.0.2.7' });
    expect(await run({ ...unseen, missingSince: secondsAgo(50) })).toMatchObject({
      kind: 'wait',
      patch: { observedAt: NOW, missingSince: null, serverStatus: 'running', publicIp: '192.0.2.7' },
    });
    provider.calls.length = 0;
    await run({ observedAt: null, phaseSince: secondsAgo(59) });
    expect(provider.calls).toEqual([]);
    await run({ observedAt: null, phaseSince: secondsAgo(61) });
    expect(provider.calls).toEqual(['get 7']);
  });

  it('asks by id as well when somebody who polls `info` found the server missing', async () => {
    const polled = { observedAt: secondsAgo(1), missingSince: secondsAgo(60) };
    expect(await run(polled)).toMatchObject({ kind: 'fail', failure: { code: 'server-vanished' } });
  });

  it('takes an address of either kind', async () => {
    provider.add('7', ownerOf(1), { status: 'running', publicIpv6: '2001:db8::1' });
    expect(await run(unseen)).toMatchObject({ patch: { publicIp: '2001:db8::1' } });
  });

  it('needs to be told twice that the server does not exist', async () => {
    expect(await run(unseen)).toMatchObject({ kind: 'wait', patch: { missingSince: NOW } });
    const young = secondsAgo(59);
    expect(await run({ ...unseen, missingSince: young })).toMatchObject({
      kind: 'wait',
      patch: { missingSince: young },
    });
    expect(await run({ ...unseen, missingSince: secondsAgo(60) })).toMatchObject({
      kind: 'fail',
      failure: { code: 'server-vanished', message: expect.stringContaining('server 7 does not exist') },
    });
  });

  it.each([
    ['hidden', SENTINEL],
    ['unknown', null],
  ])('does not believe it while the key is %s', async (_what, sentinelId) => {
    provider.keys.clear();
    expect(await run({ ...unseen, sentinelId, missingSince: secondsAgo(3_600) })).toMatchObject({
      kind: 'fail',
      failure: { code: 'wrong-project' },
    });
  });

  it.each(['unavailable', 'auth', 'rate-limited'] as const)('takes %s for no answer', async (kind) => {
    provider.failNext('get', new CloudError(kind, 'no answer'));
    await expect(run({ ...unseen, missingSince: secondsAgo(3_600) })).rejects.toThrow('no answer');
  });
});
