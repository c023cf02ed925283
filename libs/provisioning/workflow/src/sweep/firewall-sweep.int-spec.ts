import { CloudError, firewallName, type ManagedFirewall } from '@agent-controller/cloud-port';
import { FirewallService } from '../firewall/firewall.service';
import { SweepWorld } from '../testing/sweep-world';

const inbound = (network: string) => [3000, 8080].map((port) => ({ port, sources: [network] }));

describe('FirewallSweep', () => {
  let world: SweepWorld;
  beforeEach(async () => {
    world = await SweepWorld.create();
  });
  afterEach(() => world.dispose());

  const nameOf = (network: string) => firewallName(world.instanceId, inbound(network));
  /** As a step does right before its order. @returns the key */
  async function ensure(network: string): Promise<string> {
    const clock = { now: () => world.now };
    const options = { controllerCidrs: [], providerTimeoutMs: 30_000 };
    const configuration = { agentWsPort: 8080, allowedCidrs: [network] } as never;
    const { provider, instanceId, sentinelId } = world;
    const order = { provider, instance: { instanceId }, reference: { configuration }, sentinelId };
    const firewall = await new FirewallService(world.firewalls, options, clock).ensure(order);
    return firewall?.key ?? 'none';
  }
  const left = () => [...world.provider.firewalls.values()].map(({ name }) => name);
  const add = (id: string, changes: Partial<ManagedFirewall>) =>
    world.provider.firewalls.set(id, {
      id,
      key: `key-${id}`,
      name: nameOf('192.0.2.0/24'),
      instanceId: world.instanceId,
      inbound: inbound('192.0.2.0/24'),
      isApplied: false,
      ...changes,
    });

  it('removes one an hour after its last use, and whoever wants it then gets it again', async () => {
    await ensure('192.0.2.0/24');
    await world.run(59);
    expect(left()).toEqual([nameOf('192.0.2.0/24')]);
    await world.run(2);
    expect(left()).toEqual([]);
    expect(world.logged).toContain('removed a firewall that no server stands behind');
    expect(await ensure('192.0.2.0/24')).toBe('key-2');
    expect(left()).toEqual([nameOf('192.0.2.0/24')]);
  });

  it('keeps what a server stands behind, what a row names, and what the provider says is in use', async () => {
    const [behind, named, applied] = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'] as const;
    const key = await ensure(behind);
    await ensure(named);
    await ensure(applied);
    const row = await world.row('1', { firewallName: nameOf(named) });
    world.server('1', row.id);
    // A server of no row, as an orphan is.
    world.provider.add(
      '2',
      { instanceId: world.instanceId, provisioningId: 'unknown', attempt: 1 },
      { firewalls: [key] },
    );
    const firewall = world.provider.firewalls.get('3');
    if (firewall) world.provider.firewalls.set('3', { ...firewall, isApplied: true });
    await world.run(61);
    await world.run(61);
    expect(left()).toEqual([nameOf(behind), nameOf(named), nameOf(applied)]);
  });

  it("leaves other installations' and people's firewalls alone", async () => {
    const another = '7c2a3c0e-2f5b-4b0a-9a55-00000000000f';
    add('1', { name: 'by-hand' });
    add('2', { name: firewallName(another, inbound('192.0.2.0/24')), instanceId: another });
    add('3', { name: firewallName(another, inbound('192.0.2.0/24')), instanceId: null });
    add('4', { instanceId: another });
    for (let i = 0; i < 4; i++) await world.run(61);
    expect([...world.provider.firewalls.keys()]).toEqual(['1', '2', '3', '4']);
  });

  it('finds one that the database has forgotten, and waits as long as for any other', async () => {
    add('1', {});
    await world.run(61);
    await world.run(59);
    expect(left()).toHaveLength(1);
    await world.run(2);
    expect(left()).toEqual([]);
  });

  it('asks nothing while there is nothing, but for once an hour', async () => {
    const lists = async (minutes: number) =>
      (await world.run(minutes)).filter((call) => call === 'listFirewalls').length;
    expect(await lists(5)).toBe(1);
    expect(await lists(5)).toBe(0);
    expect(await lists(56)).toBe(1);
    await ensure('192.0.2.0/24');
    expect(await lists(5)).toBe(1);
  });

  it('forgets rows of firewalls that are gone', async () => {
    await ensure('192.0.2.0/24');
    world.provider.firewalls.clear();
    await world.run(59);
    expect(await world.firewalls.all('hetzner')).toHaveLength(1);
    await world.run(2);
    expect(await world.firewalls.all('hetzner')).toEqual([]);
  });

  describe('when the removal does not go well', () => {
    beforeEach(() => ensure('192.0.2.0/24'));

    it.each(['conflict', 'unavailable', 'rate-limited'] as const)('tries again in its next round: %s', async (kind) => {
      world.provider.failNext('removeFirewall', new CloudError(kind, 'not now'));
      await world.run(61);
      expect(left()).toHaveLength(1);
      expect((await world.state()).lastError).toBeNull();
      // Meanwhile it can be had.
      expect((await world.firewalls.all('hetzner'))[0]?.removingSince).toBeNull();
      await world.run(5);
      expect(left()).toEqual([]);
    });

    it('gives it to nobody while the deletion may still take effect', async () => {
      world.provider.failNext('removeFirewall', new CloudError('outcome-unknown', 'no answer'));
      await world.run(61);
      expect(await ensure('192.0.2.0/24')).toBe('none');
      world.now = new Date(world.now.getTime() + 91_000);
      expect(await ensure('192.0.2.0/24')).toBe('key-1');
    });

    it('sends nothing when so much time has passed that it may be in use again', async () => {
      const remove = world.provider.removeFirewall.bind(world.provider);
      world.provider.removeFirewall = (id, maySend) => {
        world.now = new Date(world.now.getTime() + 30_000);
        return remove(id, maySend);
      };
      await world.run(61);
      expect(left()).toHaveLength(1);
    });

    it('removes nothing while the sweep is paused', async () => {
      await world.run(5);
      await world.sweeps.pause('hetzner', 'restored-backup', 'rows are missing', world.now);
      await world.run(61);
      expect(left()).toHaveLength(1);
      await world.sweeps.resume('hetzner', { databaseFingerprint: null, resumedAt: world.now });
      await world.run(5);
      expect(left()).toEqual([]);
    });
  });

  describe('what somebody did by hand before servers of ours', () => {
    beforeEach(async () => {
      const key = await ensure('192.0.2.0/24');
      const row = await world.row('1', { firewallName: nameOf('192.0.2.0/24') });
      world.server('1', row.id, { firewalls: [key] });
      await world.run(5);
    });

    it.each([
      ['opened', [...inbound('192.0.2.0/24'), { port: 22, sources: ['0.0.0.0/0'] }]],
      ['changed into something else', null],
    ])('is put right: %s', async (_, changed) => {
      add('1', { inbound: changed });
      await world.run(5);
      expect(world.provider.firewalls.get('1')?.inbound).toEqual(inbound('192.0.2.0/24'));
      expect(world.logged).toContain('a firewall before servers was changed by hand; put right');
    });

    it('is made again when it was deleted', async () => {
      world.provider.firewalls.clear();
      await world.run(5);
      expect(left()).toEqual([nameOf('192.0.2.0/24')]);
      expect(world.logged).toContain('a firewall before servers was deleted by hand; put right');
    });

    it('is said of a server that it was taken away from', async () => {
      const row = (
        await world.database.dataSource.query('SELECT client_id AS "clientId" FROM provisioning_references')
      )[0];
      world.server('1', row.id, { firewalls: [] });
      await world.run(5);
      await world.run(5);
      const notes = (await world.notes(row)).filter((note) => note.includes('firewall'));
      expect(notes).toEqual(["The server's firewall is 'none' at the provider now; it was 'key-1'"]);
    });
  });
});
