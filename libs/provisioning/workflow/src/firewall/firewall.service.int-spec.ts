import { CloudError, firewallName } from '@agent-controller/cloud-port';
import { FirewallDatabase, INSTANCE } from '../testing/firewall-database';

const INBOUND = [3000, 8080].map((port) => ({ port, sources: ['192.0.2.0/24'] }));
const NAME = firewallName(INSTANCE.instanceId, INBOUND);

describe('FirewallService', () => {
  let world: FirewallDatabase;
  beforeEach(async () => {
    world = await FirewallDatabase.create();
  });
  afterEach(() => world.database.dispose());

  const claim = () =>
    world.repository.claimRemoval('hetzner', NAME, new Date(world.now.getTime() - 3_600_000), world.now);

  it('makes a firewall that is named by what it lets in', async () => {
    const firewall = await world.ensure(world.controller());
    expect(firewall).toMatchObject({ name: NAME, key: 'key-1', isFromMemory: false });
    expect([...world.provider.firewalls.values()]).toMatchObject([{ name: NAME, inbound: INBOUND }]);
  });

  it('asks the provider once for a hundred servers, of all controllers, and again when that is long ago', async () => {
    const controllers = [world.controller(), world.controller()];
    await Promise.all(Array.from({ length: 50 }, () => world.ensure(controllers[0]!)));
    for (let i = 0; i < 50; i++) await world.ensure(controllers[1]!);
    expect(world.asked()).toBe(1);
    expect(await world.ensure(controllers[1]!)).toMatchObject({ key: 'key-1', isFromMemory: true });
    world.pass(601);
    await world.ensure(controllers[1]!);
    expect(world.asked()).toBe(2);
  });

  it('asks again after it was told to forget, and in another project', async () => {
    const service = world.controller();
    const firewall = await world.ensure(service);
    await service.forget(world.provider, firewall!);
    expect(await world.ensure(world.controller())).toMatchObject({ isFromMemory: false });
    expect(await world.ensure(service, { sentinelId: 'key of another project' })).toMatchObject({
      isFromMemory: false,
    });
    expect(world.asked()).toBe(3);
  });

  it('makes others for other rules, also for those of the controllers', async () => {
    await world.ensure(world.controller());
    await world.ensure(world.controller(), { allowedCidrs: ['192.0.2.0/25'] });
    await world.ensure(world.controller(['198.51.100.7/32']));
    expect(world.provider.firewalls.size).toBe(3);
  });

  it('says of a quota what it was for', async () => {
    const error = new CloudError('quota', 'firewall limit exceeded', { providerCode: 'resource_limit_exceeded' });
    world.provider.failNext('ensureFirewall', error);
    await expect(world.ensure(world.controller())).rejects.toMatchObject({
      kind: 'quota',
      providerCode: 'resource_limit_exceeded',
      message: expect.stringMatching(/^The server's firewall could not be made.* firewall limit exceeded$/),
    });
    // And the next one tries anew.
    expect(await world.ensure(world.controller())).toMatchObject({ key: 'key-1' });
  });

  it('holds one for a while only, whether it is from memory or not', async () => {
    const service = world.controller();
    const [made, remembered] = [await world.ensure(service), await world.ensure(service)];
    expect([made?.isHeld(), remembered?.isHeld()]).toEqual([true, true]);
    world.pass(60);
    expect([made?.isHeld(), remembered?.isHeld()]).toEqual([false, false]);
  });

  describe('beside a sweep that removes it', () => {
    beforeEach(() => world.ensure(world.controller()));

    it('is not removed while it was used within the hour, or a provisioning names it', async () => {
      world.pass(3_599);
      expect(await claim()).toBe(false);
      await world.ensure(world.controller());
      world.pass(3_599);
      expect(await claim()).toBe(false);
      world.pass(2);
      const row = await world.database.insert({ firewallName: NAME });
      expect(await claim()).toBe(false);
      await world.database.clients.delete(row.clientId);
      expect(await claim()).toBe(true);
    });

    it('is given to nobody until that is over, and then made again', async () => {
      world.pass(3_601);
      expect(await claim()).toBe(true);
      const claimedAt = world.now;
      expect(await world.ensure(world.controller())).toBeNull();
      await world.repository.removed('hetzner', NAME, claimedAt);
      world.provider.firewalls.clear();
      expect(await world.ensure(world.controller())).toMatchObject({ key: 'key-2', isFromMemory: false });
    });

    it('is given again when a removal came to no end, but not before it can take effect no more', async () => {
      world.pass(3_601);
      expect(await claim()).toBe(true);
      // Sent at most 30 s later, lasting 30 s, and showing 30 s after that.
      world.pass(89);
      expect(await world.ensure(world.controller())).toBeNull();
      world.pass(2);
      expect(await world.ensure(world.controller())).toMatchObject({ isFromMemory: false });
    });

    it('is given to nobody who asked the provider while the removal began', async () => {
      world.pass(3_601);
      const ensureFirewall = world.provider.ensureFirewall.bind(world.provider);
      world.provider.ensureFirewall = async (spec) => {
        const key = await ensureFirewall(spec);
        world.pass(3_601);
        expect(await claim()).toBe(true);
        return key;
      };
      expect(await world.ensure(world.controller())).toBeNull();
    });

    it('is removed by one sweep only, and none that lost it keeps or forgets what another one has', async () => {
      world.pass(3_601);
      const claims = await Promise.all([claim(), claim(), claim()]);
      expect(claims.filter((isMine) => isMine)).toHaveLength(1);
      const earlier = new Date(world.now.getTime() - 1);
      await world.repository.removed('hetzner', NAME, earlier);
      await world.repository.keepAfterAll('hetzner', NAME, earlier);
      expect(await world.ensure(world.controller())).toBeNull();
      await world.repository.keepAfterAll('hetzner', NAME, world.now);
      expect(await world.ensure(world.controller())).toMatchObject({ key: 'key-1' });
    });
  });
});
