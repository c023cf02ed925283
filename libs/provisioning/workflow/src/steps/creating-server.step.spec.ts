import { CloudError } from '@agent-controller/cloud-port';
import { CallerKeysService } from '../caller-keys.service';
import { SentinelService } from '../sentinel.service';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { contextWith, NOW, ownerOf, secondsAgo, SENTINEL } from '../testing/step-context.fixture';
import type { UserDataService } from '../user-data.service';
import { CreatingServerStep } from './creating-server.step';
import { LostRightToCreate } from './step';

const GRACE_S = 60;

describe('CreatingServerStep', () => {
  let provider: FakeCloudProvider;
  let step: CreatingServerStep;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    const userData = { render: () => '#cloud-config' } as unknown as UserDataService;
    step = new CreatingServerStep(new SentinelService(), userData, new CallerKeysService());
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
    step = new CreatingServerStep(new SentinelService(), userData, new CallerKeysService());
    await expect(run()).rejects.toThrow('wiped');
    expect(provider.calls).toEqual(['ensureSentinel']);
  });

  describe('after an order that may have worked', () => {
    it('takes the server that it finds instead of ordering another', async () => {
      provider.add('7', ownerOf(1), { name: 'found' });
      const result = await run({ createRequestedAt: secondsAgo(3_600) });
      expect(provider.calls).toEqual(['ensureSentinel', 'findByOwner 1']);
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
        'findByOwner 1',
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
});
