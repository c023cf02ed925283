import { SweepWorld } from '../testing/sweep-world';

describe('Sweeper, about servers that no row knows', () => {
  let world: SweepWorld;
  beforeEach(async () => {
    world = await SweepWorld.create();
  });
  afterEach(() => world.dispose());

  const destroyed = (calls: string[]) => calls.filter((call) => call.startsWith('destroy'));

  describe('orphans', () => {
    it('are reported once, with what they cost, until they are gone or belong to a row', async () => {
      const { owner } = world.server('1');
      world.server('2');
      await world.run();
      const firstSeenAt = world.now;
      await world.run();
      expect(await world.known()).toMatchObject({ 1: { firstSeenAt, lastSeenAt: world.now, kind: 'unknown' }, 2: {} });
      expect(world.logged.filter((line) => line === 'there is a server of ours that no row knows')).toHaveLength(2);
      await world.row('1', { id: owner?.provisioningId });
      world.provider.servers.delete('2');
      expect(destroyed(await world.run())).toEqual([]);
      expect(await world.known()).toEqual({});
    });

    /** As many rows with servers, and orphans that the first sweep does not take for a sign of a lost row. */
    async function withOrphans(rows: number, orphans: number) {
      world.sweep.orphanPolicy = 'delete';
      for (let i = 0; i < rows; i++) world.server(String(i + 1), (await world.row(String(i + 1))).id);
      await world.run();
      for (let i = 0; i < orphans; i++) world.server(String(200 + i));
    }

    it('are destroyed by the policy after the grace time, one at least and 5 % of the fleet at most', async () => {
      await withOrphans(56, 5);
      expect(destroyed(await world.run(30))).toEqual([]);
      expect(destroyed(await world.run(59))).toEqual([]);
      expect(destroyed(await world.run(1))).toEqual(['destroy 200', 'destroy 201', 'destroy 202']);
      expect(destroyed(await world.run())).toEqual(['destroy 203', 'destroy 204']);
      expect(world.provider.servers.size).toBe(61);
    });

    it('are destroyed one by one in a small fleet', async () => {
      await withOrphans(1, 2);
      await world.run();
      expect(destroyed(await world.run(60))).toEqual(['destroy 200']);
    });

    it('are not destroyed by the policy when they are reported only, or their label changed meanwhile', async () => {
      await withOrphans(1, 1);
      world.sweep.orphanPolicy = 'report';
      await world.run();
      expect(destroyed(await world.run(600))).toEqual([]);
      world.sweep.orphanPolicy = 'delete';
      const get = world.provider.get.bind(world.provider);
      world.provider.get = async (id) => ({ ...(await get(id)), owner: null });
      expect(destroyed(await world.run())).toEqual([]);
    });

    it('are not destroyed once a row was made after the list was read', async () => {
      await withOrphans(1, 1);
      await world.run();
      const orphan = world.provider.servers.get('200');
      // The moment between the decision and the destroying.
      const destroyOld = world.sweeps.seenOrphans.bind(world.sweeps);
      world.sweeps.seenOrphans = async (...about) => {
        const seen = await destroyOld(...about);
        await world.row('200', { id: orphan?.owner?.provisioningId });
        return seen;
      };
      expect(destroyed(await world.run(60))).toEqual([]);
    });

    it('are not destroyed by a run that another one has replaced', async () => {
      await withOrphans(1, 1);
      await world.run();
      const seenOrphans = world.sweeps.seenOrphans.bind(world.sweeps);
      world.sweeps.seenOrphans = async (...about) => {
        await world.sweeps.begin('hetzner', '00000000-0000-4000-8000-000000000001', world.now);
        return seenOrphans(...about);
      };
      expect(destroyed(await world.run(60))).toEqual([]);
    });
  });

  describe('a pause', () => {
    const paused = async () => (await world.state()).pauseReason;

    it('begins when rows were lost, stops all but late servers, and is ended by a person', async () => {
      world.sweep.orphanPolicy = 'delete';
      const [kept, lost] = [await world.row('1'), await world.row('2')];
      world.server('1', kept.id);
      await world.run();
      // Made after the backup, which is restored now.
      world.server('2', lost.id, { createdAt: world.now });
      world.server('3', kept.id);
      await world.database.clients.delete(lost.clientId);
      const late = world.server('4');
      await world.bury(late.owner?.provisioningId ?? '');
      expect(destroyed(await world.run())).toEqual(['destroy 4']);
      expect(await paused()).toBe('restored-backup');
      expect(destroyed(await world.run(600))).toEqual([]);
      const { servers, sweeps } = await world.orphans.resume();
      expect(sweeps[0]?.state?.pauseReason).toBeNull();
      expect(servers.map(({ orphan }) => orphan.serverId).sort()).toEqual(['2', '3']);
      expect(destroyed(await world.run())).toEqual(['destroy 3', 'destroy 2']);
      expect(await paused()).toBeNull();
    });

    it('begins when the database is another one', async () => {
      await world.run();
      expect(await paused()).toBeNull();
      await world.database.dataSource.query(
        `UPDATE provider_sweeps SET database_fingerprint = regexp_replace(database_fingerprint, 'database=\\d+', 'database=1')`,
      );
      await world.run();
      expect(await paused()).toBe('database-changed');
      await world.orphans.resume();
      await world.run();
      expect(await paused()).toBeNull();
    });

    it('begins when the instance id is another one, and touches nothing of the former', async () => {
      const row = await world.row('1', { createdAt: new Date('2026-01-01T00:00:00Z') });
      world.server('1', row.id, { owner: { instanceId: 'former', provisioningId: row.id, attempt: 1 } });
      world.server('2', undefined, { owner: { instanceId: 'former', provisioningId: 'p', attempt: 1 } });
      await world.run();
      expect(await paused()).toBe('instance-changed');
      expect(await world.known()).toEqual({});
      await world.orphans.resume();
      expect(destroyed(await world.run())).toEqual([]);
      expect(await paused()).toBeNull();
    });
  });
});
