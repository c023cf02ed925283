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
});
