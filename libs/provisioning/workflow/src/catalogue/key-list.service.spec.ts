import { CloudError } from '@agent-controller/cloud-port';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { KeyListService } from './key-list.service';

describe('KeyListService', () => {
  let provider: FakeCloudProvider;
  let keys: KeyListService;
  let nowMs: number;

  beforeEach(() => {
    nowMs = 0;
    provider = new FakeCloudProvider();
    provider.sshKeys = [{ id: '1', name: 'laptop' }];
    keys = new KeyListService({ now: () => new Date(nowMs) });
  });

  it('asks nothing for nothing, and once for many callers within a minute', async () => {
    expect(await keys.keysFor(provider, [])).toEqual([]);
    expect(provider.calls).toEqual([]);
    await Promise.all([keys.keysFor(provider, ['laptop']), keys.keysFor(provider, ['laptop'])]);
    nowMs += 59_999;
    expect(await keys.keysFor(provider, ['laptop'])).toEqual(provider.sshKeys);
    expect(provider.calls).toEqual(['listKeys']);
    nowMs += 1;
    await keys.keysFor(provider, ['laptop']);
    expect(provider.calls).toEqual(['listKeys', 'listKeys']);
  });

  it('asks again for a name that is missing, but not more often than every 10 s', async () => {
    await keys.keysFor(provider, ['laptop']);
    provider.sshKeys = [...provider.sshKeys, { id: '2', name: 'new' }];
    nowMs += 9_999;
    expect(await keys.keysFor(provider, ['new'])).toHaveLength(1);
    nowMs += 1;
    expect(await keys.keysFor(provider, ['new'])).toHaveLength(2);
    expect(provider.calls).toHaveLength(2);
  });

  it('does not keep a failure, and says what it means', async () => {
    provider.failNext('listKeys', new CloudError('rate-limited', 'slow down', { retryAfterMs: 6_000 }));
    await expect(keys.keysFor(provider, ['laptop'])).rejects.toMatchObject({
      code: 'provider-unavailable',
      options: { retryAfterSeconds: 6 },
    });
    expect(await keys.keysFor(provider, ['laptop'])).toHaveLength(1);
  });
});
