import type { AppError } from '@agent-controller/kernel';
import { callbackService } from '../testing/callback-service';
import { RedeemingServer } from '../testing/redeeming-server';
import { ALL, HOME, NOW, RedemptionBench } from '../testing/redemption-bench';
import { reportWith, stageOf } from '../testing/server-report.fixture';

describe('RedemptionService', () => {
  let bench: RedemptionBench;
  beforeAll(async () => {
    bench = await RedemptionBench.create();
  });
  afterAll(() => bench.database.dispose());
  beforeEach(() => {
    bench.now = NOW;
  });

  it('gives the first who asks everything, and then the same key again', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const server = new RedeemingServer();
    const body = server.request(row.id, { sentAt: bench.now });
    const files = await to.redeem(row.id, row.token, body, '192.0.2.7');
    expect(files.map(({ path, permissions }) => [path.replace(HOME, ''), permissions])).toEqual(
      ALL.map((path) => [path, '0600']),
    );
    const [override, key, callback] = files.map(({ content }) => content);
    for (const value of ['the-api-key', 'the-git-token', 'the $$further value', 'the-database-password', 'the-jwt']) {
      expect(override).toContain(value);
    }
    expect(key).toBe('the-tls-key');
    expect(callback).toContain(`Bearer ${bench.tokens.callback({ id: row.id, attempt: 1 })?.token}`);
    expect(callback).not.toContain(row.token);
    expect(await bench.database.get(row.id)).toMatchObject({ bootstrapKey: server.publicKey, version: 1 });
    expect(await bench.redeem(to, row, server, { address: '198.51.100.1' })).toEqual(ALL);
    expect(await bench.events(row.clientId)).toEqual([['note', null, '192.0.2.7']]);
  });

  it('numbers the log without a gap beside what the servers report', async () => {
    const to = bench.service();
    const callbacks = callbackService(bench.database, bench.clock);
    const rows = await Promise.all(Array.from({ length: 10 }, () => bench.ordered()));
    const work = rows.flatMap((row) => [
      callbacks.take(row.id, row.token, reportWith()),
      bench.redeem(to, row, new RedeemingServer()),
      callbacks.take(
        row.id,
        row.token,
        reportWith({ seq: 2, stages: [stageOf('boot', 0, 20), stageOf('docker', 20, 30)] }),
      ),
    ]);
    const ended = await Promise.all(work);
    expect(ended.filter((end) => end !== undefined)).toEqual(rows.map(() => ALL));
    for (const { id, clientId } of rows) {
      const events = await bench.database.events.since(clientId, 0);
      expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
      expect((await bench.database.get(id)).lastEventSeq).toBe(5);
    }
  });

  it('refuses another key, and tells people', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const server = new RedeemingServer();
    expect(await bench.redeem(to, row, server)).toEqual(ALL);
    const thief = new RedeemingServer();
    for (let times = 0; times < 3; times += 1) {
      expect(await bench.redeem(to, row, thief, { address: '198.51.100.1' })).toBe('unauthorized');
    }
    expect(await bench.redeem(to, row, server)).toEqual(ALL);
    expect(await bench.events(row.clientId)).toEqual([
      ['note', null, '192.0.2.7'],
      ['error', 'key', '198.51.100.1'],
    ]);
    const [, error] = await bench.database.events.since(row.clientId, 0);
    expect(error).toMatchObject({ data: { code: 'bootstrap-refused', action: expect.any(String) } });
    expect(JSON.stringify(error)).not.toContain(row.token);
  });

  it('lets exactly one of several first requests with different keys win', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const servers = Array.from({ length: 3 }, () => new RedeemingServer());
    // All have got as far as the row before the first may go on.
    const outcomes = await bench.database.provisionings.transaction(async (manager) => {
      await bench.database.provisionings.lock(row.id, manager);
      const asked = servers.map((server) => bench.redeem(to, row, server));
      await bench.database.untilWaiting(asked.length);
      return asked;
    });
    const results = await Promise.all(outcomes);
    expect(results.filter((result) => result !== 'unauthorized')).toEqual([ALL]);
    const winner = servers[results.findIndex((result) => result !== 'unauthorized')];
    expect((await bench.database.get(row.id)).bootstrapKey).toBe(winner?.publicKey);
  });

  it('refuses strangers alike, without a word in the log', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const other = await bench.ordered();
    const server = new RedeemingServer();
    const unknown = { id: '00000000-0000-4000-8000-00000000dead', token: row.token };
    const callbackToken = bench.tokens.callback({ id: row.id, attempt: 1 })?.token;
    for (const target of [
      { ...row, token: 'wrong' },
      { ...row, token: '' },
      { ...row, token: other.token },
      { ...row, token: callbackToken ?? '' },
      unknown,
    ]) {
      expect(await bench.redeem(to, target, server)).toBe('unauthorized');
    }
    expect(await bench.events(row.clientId)).toEqual([]);
    expect((await bench.database.get(row.id)).bootstrapKey).toBeNull();
  });

  it.each([
    ['time', (sentAt: number) => sentAt - 602_000],
    ['time', (sentAt: number) => sentAt + 602_000],
  ])('refuses a wrong %s', async (reason, wrong) => {
    const to = bench.service();
    const row = await bench.ordered();
    expect(await bench.redeem(to, row, new RedeemingServer(), { sentAt: wrong(bench.now) })).toBe('unauthorized');
    expect(await bench.events(row.clientId)).toEqual([['error', reason, '192.0.2.7']]);
  });

  it('refuses what is not signed by the key that it names', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const server = new RedeemingServer();
    const good = server.request(row.id, { sentAt: bench.now });
    const bodies: [unknown, string][] = [
      [{ ...good, publicKey: new RedeemingServer().publicKey }, 'signature'],
      [{ ...good, sentAt: good.sentAt + 1 }, 'signature'],
      [{ ...good, signature: 'AAAA' }, 'signature'],
      [server.request('11111111-1111-4111-8111-111111111111', { sentAt: bench.now }), 'signature'],
      [new RedeemingServer('secp384r1').request(row.id, { sentAt: bench.now }), 'signature'],
      [{ ...good, publicKey: 'AAAA' }, 'signature'],
      [{ ...good, further: 1 }, 'request'],
      [{ ...good, sentAt: '1' }, 'request'],
      [null, 'request'],
      ['x', 'request'],
      [server.request(row.id, { sentAt: bench.now, attempt: 2 }), 'attempt'],
    ];
    for (const [index, [body, reason]] of bodies.entries()) {
      const address = `192.0.2.${index}`;
      await expect(to.redeem(row.id, row.token, body, address)).rejects.toMatchObject({ code: 'unauthorized' });
      expect((await bench.events(row.clientId)).at(-1)).toEqual(['error', reason, address]);
    }
    expect((await bench.database.get(row.id)).bootstrapKey).toBeNull();
    await expect(to.redeem(row.id, row.token, good, '192.0.2.7')).resolves.toHaveLength(3);
  });

  it('answers no request twice', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const server = new RedeemingServer();
    expect(await bench.redeem(to, row, server, { sentAt: bench.now })).toEqual(ALL);
    expect(await bench.redeem(to, row, server, { sentAt: NOW })).toBe('unauthorized');
    expect(await bench.redeem(to, row, server, { sentAt: NOW - 1 })).toBe('unauthorized');
    expect((await bench.events(row.clientId)).at(-1)).toEqual(['error', 'repeated', '192.0.2.7']);
  });

  describe('where callers are known by their address', () => {
    const known = {
      publicIp: '192.0.2.7',
      providerMetadata: { publicIpv4: '192.0.2.7', publicIpv6: '2001:db8:1:2::1' },
    };

    it.each([
      ['192.0.2.7', true],
      ['::ffff:192.0.2.7', true],
      ['2001:db8:1:2:3:4:5:6', true],
      ['2001:db8:1:3::1', false],
      ['192.0.2.8', false],
    ])('asked from %s, of a server with addresses: %s', async (address, isGood) => {
      const to = bench.service(true);
      const row = await bench.ordered(known);
      expect(await bench.redeem(to, row, new RedeemingServer(), { address })).toEqual(isGood ? ALL : 'unauthorized');
      if (!isGood) expect(await bench.events(row.clientId)).toEqual([['error', 'address', address]]);
    });

    it('any address may ask until the provider has told one', async () => {
      const to = bench.service(true);
      const row = await bench.ordered({ publicIp: null });
      const server = new RedeemingServer();
      expect(await bench.redeem(to, row, server, { address: '198.51.100.9' })).toEqual(ALL);
      await bench.database.dataSource.manager.update('provisioning_references', row.id, known);
      expect(await bench.redeem(to, row, server, { address: '198.51.100.9' })).toBe('unauthorized');
      expect(await bench.redeem(to, row, server)).toEqual(ALL);
    });

    it('and not elsewhere', async () => {
      const to = bench.service(false);
      expect(
        await bench.redeem(to, await bench.ordered(known), new RedeemingServer(), { address: '10.0.0.1' }),
      ).toEqual(ALL);
    });
  });

  it('keeps a mad server from the database, and the log short', async () => {
    const to = bench.service();
    const row = await bench.ordered();
    const codes: unknown[] = [];
    for (let index = 0; index < 31; index += 1) {
      const address = `192.0.2.${index}`;
      codes.push(await to.redeem(row.id, row.token, {}, address).catch(({ code }: AppError) => code));
    }
    expect(codes).toEqual([...Array<string>(30).fill('unauthorized'), 'rate-limited']);
    expect(await bench.events(row.clientId)).toHaveLength(20);
  });
});
