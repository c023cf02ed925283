import { CloudError } from '@agent-controller/cloud-port';
import type { ProvisioningFailure } from '../provisioning.types';
import { creatingStep } from '../testing/creating-step';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { contextWith, NOW, ownerOf, secondsAgo, SENTINEL } from '../testing/step-context.fixture';
import type { UserDataService } from '../user-data.service';
import type { CreatingServerStep } from './creating-server.step';
import { LostRightToCreate } from './step';

const GRACE_S = 60;

describe('CreatingServerStep', () => {
  let provider: FakeCloudProvider;
  let step: CreatingServerStep;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    const userData = { render: () => '#cloud-config' } as unknown as UserDataService;
    step = creatingStep(userData);
  });

  const run = (reference: Parameters<typeof contextWith>[0] = {}, given: object = {}) =>
    step.run(contextWith(reference, { provider, ...given }));
  const creates = () => provider.calls.filter((call) => call === 'create').length;

  it('makes sure of the key, says that a server may exist, and orders it, in this order', async () => {
    const result = await run();
    expect(provider.calls).toEqual(['ensureSentinel', `announce ${SENTINEL}`, 'create']);
    expect(provider.specs).toEqual([
      {
        owner: ownerOf(1),
        name: 'team-agent-0123abcd-1',
        serverType: 'cx23',
        location: 'fsn1',
        image: 'debian-13',
        userData: '#cloud-config',
        sshKeyIds: [SENTINEL],
        firewall: 'key-1',
        maySend: expect.any(Function),
      },
    ]);
    expect(result).toMatchObject({
      kind: 'advance',
      phase: 'booting',
      patch: { serverId: 'new-1', serverName: 'team-agent-0123abcd-1', sentinelId: SENTINEL, observedAt: NOW },
      events: [{ type: 'note', data: { serverId: 'new-1' } }],
    });
  });

  it("names the callers' keys beside ours, and puts theirs into the project before it announces anything", async () => {
    const sshKeys = [{ name: 'laptop', id: '5' }, { publicKey: 'ssh-ed25519 AAAA me' }];
    await run({ configuration: { sshKeys } as never });
    expect(provider.calls).toEqual([
      'ensureSentinel',
      expect.stringMatching(/^ensureKey agent-controller-key-/),
      `announce ${SENTINEL}`,
      'create',
    ]);
    expect(provider.specs[0]?.sshKeyIds).toEqual([
      SENTINEL,
      '5',
      expect.stringMatching(/^id-of-agent-controller-key-/),
    ]);
  });

  it.each(['invalid', 'not-found'] as const)(
    "asks once for a caller's key again that it knew from before, when the order was %s",
    async (kind) => {
      const wanted = { configuration: { sshKeys: [{ publicKey: 'ssh-ed25519 AAAA me' }] } as never };
      await run(wanted);
      const refusal = () => new CloudError(kind, 'no such key');
      provider.failNext('create', refusal(), refusal());
      const result = await run(wanted);
      expect(result).toMatchObject({ kind: 'wait', delayMs: 0, patch: { createRequestedAt: null } });
      await expect(run(wanted)).rejects.toThrow('no such key');
      expect(provider.calls.filter((call) => call.startsWith('ensureKey'))).toHaveLength(2);
      const later = await run(wanted);
      expect(later).toMatchObject({ kind: 'advance' });
    },
  );

  it("orders nothing when a caller's key is refused", async () => {
    provider.failNext('ensureKey', new CloudError('quota', 'no more keys'));
    await expect(run({ configuration: { sshKeys: [{ publicKey: 'ssh-ed25519 AAAA' }] } as never })).rejects.toThrow(
      'no more keys',
    );
    expect(provider.calls).not.toContainEqual(expect.stringMatching(/^announce/));
  });

  it('orders nothing once it has lost the right to', async () => {
    const announceCreate = () => Promise.reject(new LostRightToCreate());
    await expect(run({}, { announceCreate })).rejects.toThrow(LostRightToCreate);
    expect(creates()).toBe(0);
  });

  it('orders nothing when the user data cannot be made', async () => {
    const userData = {
      render: () => {
        throw new Error('The secrets of this provisioning were wiped');
      },
    } as unknown as UserDataService;
    step = creatingStep(userData);
    await expect(run()).rejects.toThrow('wiped');
    expect(provider.calls).toEqual(['ensureSentinel']);
  });

  describe('after an order that may have worked', () => {
    it('stops the clock while it is in doubt, and keeps what went wrong with the order', async () => {
      const lastError = { code: 'outcome-unknown' } as ProvisioningFailure;
      const changes = { createRequestedAt: secondsAgo(20), lastError, consecutiveErrors: 2, pausedMs: 7_000 };
      expect(await run(changes)).toMatchObject({
        kind: 'wait',
        patch: { pausedSince: NOW, pausedMs: 7_000, lastError, consecutiveErrors: 2 },
      });
      const pausedSince = secondsAgo(15);
      expect(await run({ ...changes, pausedSince })).toMatchObject({ patch: { pausedSince, pausedMs: 7_000 } });
    });

    it('forgets other trouble that is over', async () => {
      const lastError = { code: 'provider-unavailable' } as ProvisioningFailure;
      const result = await run({ createRequestedAt: secondsAgo(20), lastError });
      expect('patch' in result && result.patch).not.toHaveProperty('lastError');
    });

    it('takes the server that it finds instead of ordering another', async () => {
      provider.add('7', ownerOf(1), { name: 'found' });
      const result = await run({ createRequestedAt: secondsAgo(3_600) });
      expect(provider.calls).toEqual(['ensureSentinel', 'findByOwner 1 to look']);
      expect(result).toMatchObject({
        kind: 'advance',
        phase: 'booting',
        patch: { serverId: '7', serverName: 'found' },
      });
    });

    it('keeps the oldest and destroys duplicates', async () => {
      provider.add('young', ownerOf(1), { createdAt: secondsAgo(10) });
      provider.add('old', ownerOf(1), { createdAt: secondsAgo(30) });
      provider.add('middle', ownerOf(1), { createdAt: secondsAgo(20) });
      const result = await run({ createRequestedAt: secondsAgo(40) });
      expect(provider.calls.slice(2)).toEqual(['destroy middle', 'destroy young']);
      expect(result).toMatchObject({ kind: 'advance', patch: { serverId: 'old' } });
      expect(provider.servers.get('old')?.status).toBe('creating');
    });

    it.each(['unavailable', 'conflict', 'outcome-unknown'] as const)(
      'keeps none while a duplicate cannot be destroyed (%s)',
      async (kind) => {
        provider.add('old', ownerOf(1), { createdAt: secondsAgo(30) });
        provider.add('young', ownerOf(1), { createdAt: secondsAgo(10) });
        provider.failNext('destroy', new CloudError(kind, 'not now'));
        await expect(run({ createRequestedAt: secondsAgo(40) })).rejects.toThrow('not now');
        expect(creates()).toBe(0);
      },
    );

    it('leaves servers of others and of other attempts alone', async () => {
      provider.add('other', { ...ownerOf(2), provisioningId: 'another' });
      provider.add('foreign', { ...ownerOf(2), instanceId: 'another' });
      provider.add('earlier', ownerOf(1));
      provider.add('ours', ownerOf(2));
      const result = await run({ createRequestedAt: secondsAgo(5), attempt: 2 });
      expect(result).toMatchObject({ patch: { serverId: 'ours' } });
      expect(provider.calls).not.toContainEqual(expect.stringMatching(/^destroy/));
    });

    it('waits while a server may still be missing from the lists', async () => {
      provider.isListing = false;
      const result = await run({ createRequestedAt: secondsAgo(GRACE_S - 1) });
      expect(result).toMatchObject({ kind: 'wait' });
      expect(result).not.toHaveProperty('patch.sentinelId');
      expect(creates()).toBe(0);
    });

    it('does not take the time limit of the order itself for the time in which nothing showed', async () => {
      provider.isListing = false;
      // The order had no answer for 30 s; what it made at the end is not listed yet.
      expect(await run({ createRequestedAt: secondsAgo(31), sentinelId: SENTINEL })).toMatchObject({ kind: 'wait' });
      expect(creates()).toBe(0);
    });

    it('orders again when nothing shows for long enough, and announces that as well', async () => {
      const result = await run({ createRequestedAt: secondsAgo(GRACE_S), sentinelId: SENTINEL });
      expect(provider.calls).toEqual([
        'ensureSentinel',
        'findByOwner 1 to look',
        'hasSentinel',
        `announce ${SENTINEL}`,
        'create',
      ]);
      expect(result).toMatchObject({ kind: 'advance', phase: 'booting' });
    });

    it('orders nothing in another project than the one before', async () => {
      const result = await run({ createRequestedAt: secondsAgo(3_600), sentinelId: 'key-of-another-project' });
      expect(result).toMatchObject({ kind: 'fail', failure: { code: 'wrong-project' } });
      expect(creates()).toBe(0);
    });

    it('takes a server that it finds, though the key was replaced', async () => {
      provider.add('7', ownerOf(1));
      const result = await run({ createRequestedAt: secondsAgo(3_600), sentinelId: 'removed-key' });
      expect(result).toMatchObject({ kind: 'advance', patch: { serverId: '7', sentinelId: SENTINEL } });
    });

    it.each(['unavailable', 'rate-limited', 'auth'] as const)(
      'orders nothing unless it could look (%s)',
      async (kind) => {
        provider.failNext('findByOwner', new CloudError(kind, 'no look'));
        await expect(run({ createRequestedAt: secondsAgo(3_600) })).rejects.toThrow('no look');
        expect(creates()).toBe(0);
      },
    );
  });

  it('never has two servers, however often an answer is lost', async () => {
    // The order works, its answer is lost, and the server shows in lists only later.
    const lost = new CloudError('outcome-unknown', 'lost');
    const create = provider.create.bind(provider);
    jest.spyOn(provider, 'create').mockImplementation(async (spec) => {
      await create(spec);
      throw lost;
    });
    provider.isListing = false;
    await expect(run()).rejects.toBe(lost);
    for (const seconds of [1, 10, GRACE_S - 1]) {
      expect(await run({ createRequestedAt: secondsAgo(seconds) })).toMatchObject({ kind: 'wait' });
    }
    provider.isListing = true;
    expect(await run({ createRequestedAt: secondsAgo(GRACE_S + 1) })).toMatchObject({ patch: { serverId: 'new-1' } });
    expect(provider.servers.size).toBe(1);
  });

  it.each(['invalid', 'not-found'] as const)('ensures the key again after the order was %s', async (kind) => {
    provider.failNext('create', new CloudError(kind, 'no such key'));
    await expect(run()).rejects.toThrow('no such key');
    await run();
    expect(provider.calls.filter((call) => call === 'ensureSentinel')).toHaveLength(2);
  });

  it('asks for the key once in the life of a controller', async () => {
    provider.failNext('create', new CloudError('capacity', 'full'));
    await expect(run()).rejects.toThrow('full');
    await run();
    expect(provider.calls.filter((call) => call === 'ensureSentinel')).toHaveLength(1);
  });

  describe('where there is no room', () => {
    const full = () => new CloudError('capacity', 'full');
    const choice = (serverType: string, location: string, monthlyCost: number) => ({
      ...{ serverType, location, monthlyCost, currency: 'EUR' },
    });
    const first = choice('cx23', 'fsn1', 4);
    const choices = [choice('cx23', 'nbg1', 5), choice('cx33', 'hel1', 8)] as const;
    const configuration = { sshKeys: [], firstChoice: first, fallback: [...choices] } as never;

    it('goes on with the next choice, in the same attempt, and says so; the last one is a failure', async () => {
      provider.failNext('create', full(), full(), full());
      const second = await run({ ...first, configuration });
      expect(second).toEqual({
        kind: 'wait',
        delayMs: 0,
        patch: { ...choices[0], createRequestedAt: null },
        events: [
          {
            type: 'note',
            message: 'No room for cx23 at fsn1; trying cx23 at nbg1',
            data: { serverType: 'cx23', location: 'nbg1' },
          },
        ],
      });
      expect(await run({ ...choices[0], configuration })).toMatchObject({ patch: choices[1] });
      await expect(run({ ...choices[1], configuration })).rejects.toMatchObject({ kind: 'capacity' });
      const tried = provider.specs.map(({ name, serverType, location }) => `${name} ${serverType} ${location}`);
      expect(tried).toEqual([
        'team-agent-0123abcd-1 cx23 fsn1',
        'team-agent-0123abcd-1 cx23 nbg1',
        'team-agent-0123abcd-1 cx33 hel1',
      ]);
    });

    it('is a failure at once without alternatives, also in rows from before there were any', async () => {
      provider.failNext('create', full(), full());
      await expect(run()).rejects.toMatchObject({ kind: 'capacity' });
      await expect(run({ configuration: {} as never })).rejects.toMatchObject({ kind: 'capacity' });
    });

    it.each(['quota', 'invalid', 'auth', 'conflict', 'unavailable', 'outcome-unknown'] as const)(
      'is not what %s says',
      async (kind) => {
        provider.failNext('create', new CloudError(kind, 'other trouble'));
        await expect(run({ ...first, configuration })).rejects.toThrow('other trouble');
      },
    );

    it('keeps the doubt about an earlier order of the attempt, and looks before the next one is sent', async () => {
      provider.failNext('create', full());
      const doubtful = { createRequestedAt: secondsAgo(GRACE_S), sentinelId: SENTINEL, configuration };
      const result = await run({ ...first, ...doubtful });
      expect(result).toMatchObject({ kind: 'wait', patch: choices[0] });
      expect(result).not.toHaveProperty('patch.createRequestedAt');
      await run({ ...choices[0], ...doubtful, createRequestedAt: secondsAgo(1) });
      expect(creates()).toBe(1);
    });

    it('takes an earlier server that shows up for what it is', async () => {
      provider.add('7', ownerOf(1), { serverType: 'cx23', location: 'fsn1' });
      const result = await run({ ...choices[1], createRequestedAt: secondsAgo(5), configuration });
      expect(result).toMatchObject({ kind: 'advance', patch: { serverId: '7', ...first } });
    });
  });
});
