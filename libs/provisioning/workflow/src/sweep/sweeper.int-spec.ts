import { CloudError } from '@agent-controller/cloud-port';
import { SweepWorld } from '../testing/sweep-world';

describe('Sweeper', () => {
  let world: SweepWorld;
  beforeEach(async () => {
    world = await SweepWorld.create();
  });
  afterEach(() => world.dispose());

  const destroyed = (calls: string[]) => calls.filter((call) => call.startsWith('destroy'));

  it('changes nothing where all is as it should be, and asks for the next sweep', async () => {
    const row = await world.row('1');
    world.server('1', row.id);
    world.server('50', undefined, { owner: { instanceId: 'another', provisioningId: 'p', attempt: 1 } });
    world.server('51', undefined, { owner: null });
    expect(await world.run()).toEqual(['listOwned', 'hasSentinel', 'listFirewalls', 'listManagedKeys']);
    expect(await world.notes(row)).toEqual([]);
    expect(await world.database.get(row.id)).toMatchObject({
      version: 1,
      observedAt: world.now,
      serverStatus: 'running',
    });
    expect(await world.state()).toMatchObject({
      servers: 1,
      lastError: null,
      coveredUntil: world.now,
      completedAt: world.now,
      pauseReason: null,
      sentinelId: world.sentinelId,
    });
    expect((await world.database.jobs()).map(({ key }) => key)).toEqual(['sweep-servers:hetzner']);
  });

  it('saves what changed at the provider, and tells it once', async () => {
    const row = await world.row('1');
    const { clients } = world.database;
    await clients.update(row.clientId, { endpoint: 'https://203.0.113.1:3000' });
    world.provider.serverTypes = [
      {
        id: 'cx43',
        name: 'CX43',
        cores: 8,
        memory: 16,
        disk: 160,
        architecture: 'x86',
        description: '',
        currency: 'EUR',
        priceMonthly: 9,
        priceHourly: 0.01,
        locations: [
          {
            id: 'fsn1',
            available: true,
            priceMonthly: 9,
            priceHourly: 0.01,
            addressPriceMonthly: 0.6,
            deprecatedAfter: null,
          },
        ],
      },
    ];
    world.server('1', row.id, { name: 'renamed', serverType: 'cx43', publicIpv4: '203.0.113.200', status: 'stopped' });
    await world.run();
    await world.run();
    expect(await world.database.get(row.id)).toMatchObject({
      serverName: 'renamed',
      serverType: 'cx43',
      monthlyCost: 9.6,
      currency: 'EUR',
      publicIp: '203.0.113.200',
      serverStatus: 'stopped',
      version: 1,
    });
    expect((await clients.get(row.clientId))?.endpoint).toBe('https://203.0.113.200:3000');
    expect(await world.notes(row)).toEqual([
      "The server's name is 'renamed' at the provider now; it was 'server-1'",
      "The server's type is 'cx43' at the provider now; it was 'cx23'",
      "The server's address is '203.0.113.200' at the provider now; it was '203.0.113.1'",
      "The server's status is 'stopped' at the provider now; it was 'running'",
    ]);
  });

  it('leaves rows alone that the observer or a step keeps', async () => {
    const rows = [
      await world.row('1', { phase: 'booting' }),
      await world.row('2', { phase: 'deleting', intent: 'absent' }),
      await world.row('3', { phase: 'replacing' }),
    ];
    rows.forEach(({ id, serverId }) => world.server(serverId ?? '', id, { name: 'renamed', status: 'stopped' }));
    await world.run();
    for (const row of rows) expect(await world.database.get(row.id)).toEqual(row);
  });

  it('counts a server as lost after two "not found", five minutes apart, and sees when it is back', async () => {
    const row = await world.row('1');
    const health = async () => (await world.database.clients.get(row.clientId))?.health;
    const now = ['listOwned', 'hasSentinel', 'get 1', 'hasSentinel', 'listFirewalls', 'listManagedKeys'];
    expect(await world.run()).toEqual(now);
    const missingSince = world.now;
    await world.run(4);
    expect(await world.database.get(row.id)).toMatchObject({ serverStatus: 'running', missingSince });
    await world.run(1);
    expect(await world.database.get(row.id)).toMatchObject({ serverStatus: 'lost', missingSince });
    expect(await world.database.clients.get(row.clientId)).toMatchObject({ health: 'lost', healthSince: missingSince });
    await world.run();
    world.server('1', row.id);
    await world.run();
    expect(await world.database.get(row.id)).toMatchObject({
      serverStatus: 'running',
      missingSince: null,
      healthDueAt: null,
    });
    expect(await health()).toBeNull();
    expect(await world.notes(row)).toEqual([
      'The provider does not find the server 1 any more',
      'The provider finds the server again',
    ]);
  });

  it('asks for a bounded number of missing servers in one sweep, and for the others in the next', async () => {
    for (let i = 0; i < 25; i++) await world.row(String(i + 1));
    const asked = async () => (await world.run()).filter((call) => call.startsWith('get'));
    const [first, second] = [await asked(), await asked()];
    expect(first).toHaveLength(20);
    expect(new Set([...first, ...second]).size).toBe(25);
  });

  it.each(['after all servers', 'at once'])('does nothing by a list that breaks %s', async (when) => {
    const row = await world.row('1');
    const buried = world.server('2');
    world.server('3');
    await world.bury(buried.owner?.provisioningId ?? '');
    await world.run();
    expect(Object.keys(await world.known())).toEqual(['3']);
    const before = await world.state();
    const error = new CloudError('unavailable', 'away', { retryAfterMs: 900_000 });
    if (when === 'at once') world.provider.failNext('listOwned', error);
    else world.provider.listBreaks = error;
    world.provider.servers.delete('3');
    await world.database.dataSource.query('DELETE FROM graphile_worker._private_jobs');
    expect(await world.run()).toEqual(['listOwned']);
    const { coveredUntil, completedAt } = before;
    expect(await world.state()).toMatchObject({ coveredUntil, completedAt, lastError: 'away' });
    expect(Object.keys(await world.known())).toEqual(['3']);
    expect((await world.database.get(row.id)).serverStatus).toBe('running');
    const [job]: { seconds: number }[] = await world.database.dataSource.query(
      'SELECT extract(epoch FROM run_at - now())::integer AS seconds FROM graphile_worker.jobs',
    );
    expect(job?.seconds).toBeGreaterThan(800);
  });

  it('does nothing by the list of another project', async () => {
    await world.row('1');
    const late = world.server('2');
    await world.run();
    await world.bury(late.owner?.provisioningId ?? '');
    world.provider.keys.delete(world.sentinelId);
    expect(destroyed(await world.run())).toEqual([]);
    expect((await world.state()).lastError).toMatch('Our key is not visible');
    expect((await world.state()).coveredUntil).not.toEqual(world.now);
  });

  it('destroys a late server of a deleted provisioning until it is gone, and nothing of another installation', async () => {
    const late = world.server('1');
    const id = late.owner?.provisioningId ?? '';
    world.server('2', id, { owner: { instanceId: 'another', provisioningId: id, attempt: 1 } });
    await world.bury(id);
    expect(destroyed(await world.run())).toEqual(['destroy 1']);
    // The fake marks it at first; deleting ones are waited for.
    expect(destroyed(await world.run())).toEqual([]);
    world.provider.servers.delete('1');
    await world.run();
    expect([...world.provider.servers.keys()]).toEqual(['2']);
    expect(await world.known()).toEqual({});
    const [tombstone]: { seen: Date }[] = await world.database.dataSource.query(
      'SELECT server_seen_at AS seen FROM provisioning_tombstones',
    );
    expect(tombstone?.seen).toEqual(new Date(world.now.getTime() - 300_000));
  });

  it('goes on when one server cannot be destroyed', async () => {
    const servers = [world.server('1'), world.server('2')];
    for (const { owner } of servers) await world.bury(owner?.provisioningId ?? '');
    world.provider.failNext('destroy', new CloudError('conflict', 'locked'));
    expect(destroyed(await world.run())).toEqual(['destroy 1', 'destroy 2']);
    expect((await world.state()).lastError).toBeNull();
    expect(destroyed(await world.run())).toEqual(['destroy 1']);
  });

  it('keeps the own server of a row, and destroys the other one, saying so', async () => {
    const row = await world.row('1');
    world.server('1', row.id);
    world.server('2', row.id, { createdAt: new Date('2025-12-31T00:00:00Z') });
    expect(destroyed(await world.run())).toEqual(['destroy 2']);
    expect(world.logged).toContain('a provisioning has a second server');
    expect(await world.known()).toMatchObject({ 2: { kind: 'surplus' } });
    world.provider.servers.delete('2');
    await world.run();
    expect(await world.notes(row)).toEqual(['A second server of this provisioning was found: server-2 (2)']);
    expect(await world.known()).toEqual({});
    expect((await world.database.get(row.id)).serverId).toBe('1');
  });

  it('never destroys the last server of a row: when its own is gone, the other one is reported', async () => {
    const row = await world.row('1');
    world.server('2', row.id);
    for (let i = 0; i < 3; i++) expect(destroyed(await world.run())).toEqual([]);
    expect(await world.known()).toMatchObject({ 2: { kind: 'surplus', provisioningId: row.id } });
    expect((await world.database.get(row.id)).serverStatus).toBe('lost');
  });

  it('destroys the server of an attempt that was given up', async () => {
    const row = await world.row('1', { phase: 'failed', serverId: null, attempt: 2 });
    world.server('7', row.id, { attempt: 1 });
    expect(destroyed(await world.run())).toEqual(['destroy 7']);
  });

  it('gives a failed row the server of its order', async () => {
    const row = await world.row('1', { phase: 'failed', serverId: null, serverName: null, serverStatus: null });
    world.server('7', row.id);
    world.server('8', row.id, { createdAt: new Date('2026-01-01T01:00:00Z') });
    expect(destroyed(await world.run())).toEqual([]);
    expect(await world.database.get(row.id)).toMatchObject({
      serverId: '7',
      serverName: 'server-7',
      phase: 'failed',
      version: 2,
      publicIp: '203.0.113.7',
    });
    expect(destroyed(await world.run())).toEqual(['destroy 8']);
  });

  it('wakes the step of a row that looks for its servers itself', async () => {
    const row = await world.row('1', { phase: 'creating-server', serverId: null });
    world.server('7', row.id);
    expect(destroyed(await world.run())).toEqual([]);
    expect((await world.database.jobs()).map(({ key }) => key)).toContain(row.id);
    expect((await world.database.get(row.id)).serverId).toBeNull();
  });
});
