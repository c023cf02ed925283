import { CloudError } from '@agent-controller/cloud-port';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { SweepWorld } from '../testing/sweep-world';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM';
const OTHER = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+VVuCyUMHonAvHCrFx2WFphuhyq5A7S+N6Nls5vwUp';

describe('KeySweep', () => {
  let world: SweepWorld;
  beforeEach(async () => {
    world = await SweepWorld.create();
  });
  afterEach(() => world.dispose());

  const using = (...publicKeys: string[]): Partial<ProvisioningReference> =>
    ({
      configuration: { sshKeys: [...publicKeys.map((publicKey) => ({ publicKey })), { name: 'laptop', id: '1' }] },
    }) as Partial<ProvisioningReference>;
  const ensure = (...keys: string[]) =>
    world.callerKeys.ensure(
      world.provider,
      world,
      keys.map((publicKey) => ({ publicKey })),
    );
  const keys = () => [...world.provider.callerKeys.values()].map(({ publicKey }) => publicKey);
  const add = (id: string, name: string, publicKey: string, instanceId: string | null) =>
    world.provider.callerKeys.set(id, { id, name, publicKey, instanceId });

  it('removes what two rounds found unused; used ones and the comment of a key do not matter', async () => {
    await world.row('1', { phase: 'failed', ...using(`${OTHER} me@home`) });
    await ensure(KEY, OTHER);
    await world.run(60);
    expect(keys()).toEqual([KEY, OTHER]);
    await world.run(60);
    expect(keys()).toEqual([OTHER]);
    await world.run(60);
    expect(keys()).toEqual([OTHER]);
    expect(world.logged.filter((line) => line === 'removed a key that no provisioning uses')).toHaveLength(1);
    // Whoever wants it gets it again: the process has forgotten its id.
    await ensure(KEY);
    expect(keys()).toEqual([OTHER, KEY]);
  });

  it('begins to count again when a key was used meanwhile', async () => {
    await ensure(KEY);
    await world.run(60);
    const row = await world.row('1', using(KEY));
    world.server('1', row.id);
    await world.run(60);
    await world.database.clients.delete(row.clientId);
    await world.run(60);
    expect(keys()).toEqual([KEY]);
    await world.run(60);
    expect(keys()).toEqual([]);
  });

  it('lists once an hour at most, also after an error', async () => {
    const lists = async (minutes: number) =>
      (await world.run(minutes)).filter((call) => call === 'listManagedKeys').length;
    world.provider.failNext('listManagedKeys', new CloudError('rate-limited', 'too many'));
    expect(await lists(5)).toBe(1);
    expect((await world.state()).lastError).toBeNull();
    expect(await lists(59)).toBe(0);
    expect(await lists(1)).toBe(1);
  });

  it("leaves keys that are not surely this installation's", async () => {
    const { instanceId } = world;
    await ensure(KEY);
    const name = [...world.provider.callerKeys.values()][0]?.name ?? '';
    const hash = name.slice(0, 'agent-controller-key-0123456789abcdef'.length);
    world.provider.callerKeys.clear();
    add('person', 'laptop', KEY, null);
    add('sentinel', `agent-controller-${instanceId}`, KEY, null);
    add('without-id', hash, KEY, null);
    add('another-in-name', `${hash}-another`, KEY, null);
    add('another-in-label', hash, KEY, 'another');
    add('another-in-label-and-ours-in-name', name, KEY, 'another');
    add('other-content', name, OTHER, null);
    add('ours-by-name', name, KEY, null);
    add('ours-by-label', hash, KEY, instanceId);
    for (let i = 0; i < 3; i++) await world.run(60);
    expect([...world.provider.callerKeys.keys()]).toEqual([
      'person',
      'sentinel',
      'without-id',
      'another-in-name',
      'another-in-label',
      'another-in-label-and-ours-in-name',
      'other-content',
    ]);
  });

  it('does not remove a key that a request names while the sweep runs', async () => {
    await ensure(KEY);
    await world.run(60);
    const list = world.provider.listManagedKeys.bind(world.provider);
    world.provider.listManagedKeys = async () => {
      const listed = await list();
      await world.row('1', using(KEY));
      return listed;
    };
    await world.run(60);
    expect(keys()).toEqual([KEY]);
  });
});
