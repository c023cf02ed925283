import { CloudError } from '@agent-controller/cloud-port';
import { SentinelService } from '../sentinel.service';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { contextWith, NOW, ownerOf, secondsAgo, SENTINEL } from '../testing/step-context.fixture';
import { DeletingStep } from './deleting.step';
import { ServerRemoval } from './server-removal';

const GRACE_S = 60;

describe('ServerRemoval', () => {
  let provider: FakeCloudProvider;
  let removal: ServerRemoval;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    provider.keys.add(SENTINEL);
    removal = new ServerRemoval(new SentinelService());
  });

  const run = (reference: Parameters<typeof contextWith>[0]) =>
    removal.run(contextWith({ phase: 'deleting', intent: 'absent', ...reference }, { provider }));
  const made = { serverId: '7', createRequestedAt: secondsAgo(3_600), sentinelId: SENTINEL };
  const missing = { ...made, missingSince: secondsAgo(2) };

  it('has nothing to do where nothing was ever ordered', async () => {
    expect(await run({})).toBe('gone');
    expect(provider.calls).toEqual([]);
  });

  it('repeats until the provider says that the server is gone', async () => {
    provider.add('7', ownerOf(1), { status: 'running' });
    expect(await run(made)).toMatchObject({
      kind: 'wait',
      patch: { destroyRequestedAt: NOW, serverStatus: 'deleting', observedAt: NOW },
    });
    const since = secondsAgo(2);
    expect(await run({ ...made, destroyRequestedAt: since })).toMatchObject({ patch: { destroyRequestedAt: since } });
    expect(await run({ ...made, destroyRequestedAt: since })).toBe('gone');
    expect(provider.servers.size).toBe(0);
    expect(provider.calls.filter((call) => call.startsWith('destroy'))).toEqual([
      'destroy 7',
      'destroy 7 to confirm',
      'destroy 7 to confirm',
    ]);
  });

  it('keeps that a server was not found, and proves it then: who may still run comes before', async () => {
    expect(await run(made)).toMatchObject({ kind: 'wait', delayMs: 0, patch: { missingSince: NOW } });
    expect(await run(missing)).toBe('gone');
    expect(provider.calls).toEqual(['destroy 7', 'destroy 7 to confirm', 'findByOwner all', 'hasSentinel']);
  });

  it('begins with the list where it knows no server', async () => {
    const unknown = { ...made, serverId: null };
    expect(await run(unknown)).toMatchObject({ kind: 'wait', delayMs: 0, patch: { missingSince: NOW } });
    expect(await run({ ...missing, serverId: null })).toBe('gone');
    expect(provider.calls).toEqual(['findByOwner all', 'findByOwner all to confirm', 'hasSentinel']);
  });

  it('believes "not found" only beside the key', async () => {
    expect(await run(missing)).toBe('gone');
    provider.keys.clear();
    expect(await run(missing)).toMatchObject({
      kind: 'fail',
      failure: { code: 'wrong-project', message: expect.stringMatching(/server 7.*may still run/) },
      patch: { missingSince: null },
    });
  });

  it('does not make a key to prove its case', async () => {
    provider.keys.clear();
    await run(missing);
    expect(provider.calls).not.toContain('ensureSentinel');
  });

  it('waits out the time in which a new server may be missing from all answers', async () => {
    const young = { ...missing, createRequestedAt: secondsAgo(GRACE_S - 1) };
    expect(await run(young)).toMatchObject({ kind: 'wait', delayMs: 2_000, patch: { missingSince: secondsAgo(2) } });
    expect(await run({ ...young, serverId: null })).toMatchObject({ kind: 'wait' });
    expect(await run({ ...young, createRequestedAt: secondsAgo(GRACE_S) })).toBe('gone');
    // Once the provider accepted the deletion of a server it was seen.
    expect(await run({ ...young, destroyRequestedAt: secondsAgo(1) })).toBe('gone');
  });

  it('finds the servers of all attempts, also of orders whose answer was lost', async () => {
    provider.add('first', ownerOf(1), { createdAt: secondsAgo(90) });
    provider.add('second', ownerOf(2), { createdAt: secondsAgo(60) });
    provider.add('other', { ...ownerOf(1), provisioningId: 'another' });
    const lost = { ...made, serverId: null, attempt: 2 };
    expect(await run(lost)).toMatchObject({ kind: 'wait', patch: { serverStatus: 'deleting' } });
    expect(provider.calls).toEqual(['findByOwner all', 'destroy first', 'destroy second']);
    const removed = { ...lost, destroyRequestedAt: secondsAgo(2) };
    // Those that end are asked for no second time, and are waited for.
    expect(await run(removed)).toMatchObject({ kind: 'wait' });
    expect(provider.calls.slice(3)).toEqual(['findByOwner all to confirm']);
    provider.servers.delete('first');
    provider.servers.delete('second');
    expect(await run(removed)).toBe('gone');
    expect([...provider.servers.keys()]).toEqual(['other']);
  });

  it('leaves the next attempt alone where it replaces: another controller may have gone on', async () => {
    provider.add('next', ownerOf(2));
    expect(await run({ ...missing, phase: 'replacing', intent: 'present' })).toBe('gone');
    expect([...provider.servers.keys()]).toEqual(['next']);
  });

  it('looks for strays also when the known server is gone', async () => {
    provider.add('stray', ownerOf(1));
    expect(await run(missing)).toMatchObject({ kind: 'wait' });
    expect(provider.calls).toContain('destroy stray');
  });

  it('does not wait for a list that still shows the known server, which is gone', async () => {
    const { findByOwner } = provider;
    jest
      .spyOn(provider, 'findByOwner')
      .mockImplementation(async (owner) => [
        ...(await findByOwner.call(provider, owner)),
        new FakeCloudProvider().add('7', ownerOf(1), { status: 'deleting' }),
      ]);
    expect(await run(missing)).toBe('gone');
  });

  it.each(['conflict', 'unavailable', 'auth', 'outcome-unknown'] as const)(
    'says nothing where the provider could not say it (%s)',
    async (kind) => {
      for (const method of ['destroy', 'findByOwner', 'hasSentinel'] as const) {
        provider.failNext(method, new CloudError(kind, method));
        await expect(run(missing)).rejects.toThrow(method);
      }
    },
  );

  it('ends the deletion of a provisioning', async () => {
    const step = new DeletingStep(removal);
    provider.add('7', ownerOf(1), { status: 'deleting' });
    const context = contextWith({ phase: 'deleting', ...made }, { provider });
    expect(await step.run(context)).toMatchObject({ kind: 'wait' });
    const next = contextWith({ phase: 'deleting', ...made, destroyRequestedAt: NOW }, { provider });
    expect(await step.run(next)).toEqual({ kind: 'gone' });
  });
});
