import { CallerKeysService } from './caller-keys.service';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { instance } from './testing/step-context.fixture';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM';

describe('CallerKeysService', () => {
  it('answers ids, and puts a public key into the project once, whatever its comment', async () => {
    const provider = new FakeCloudProvider();
    const keys = new CallerKeysService();
    const ids = () =>
      keys.ensure(provider, instance, [
        { name: 'laptop', id: '1' },
        { publicKey: `${KEY} me@home` },
        { publicKey: KEY },
      ]);
    const [, id] = await ids();
    expect(await ids()).toEqual(['1', id, id]);
    expect(provider.calls).toEqual([`ensureKey ${id?.slice('id-of-'.length)}`]);
    expect(provider.calls[0]).toMatch(/^ensureKey agent-controller-key-[0-9a-f]{16}-instance-1$/);
    expect(keys.remembers(provider, instance, [{ publicKey: KEY }])).toBe(true);
    keys.forget(provider);
    expect(keys.remembers(provider, instance, [{ publicKey: KEY }])).toBe(false);
    await ids();
    expect(provider.calls).toHaveLength(2);
  });

  it('forgets the oldest of very many keys: each server may bring one of its own', async () => {
    const provider = new FakeCloudProvider();
    const keys = new CallerKeysService();
    const key = (n: number) => ({ publicKey: `ssh-ed25519 ${Buffer.from(`key ${n}`).toString('base64')}` });
    const many = Array.from({ length: 5_001 }, (_, n) => key(n));
    await keys.ensure(provider, instance, many);
    const remembered = [0, 1, 5_000].map((n) => keys.remembers(provider, instance, [key(n)]));
    expect(remembered).toEqual([false, true, true]);
    // It is there still, and is asked for again.
    const again = await keys.ensure(provider, instance, [key(0)]);
    expect(again).toHaveLength(1);
    expect(keys.remembers(provider, instance, [key(0)])).toBe(true);
  });
});
