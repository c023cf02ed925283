import { AppError } from '@agent-controller/kernel';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { CallbackService } from '../reports/callback.service';
import { CallbackTokens } from '../reports/callback-tokens';
import { ReportRedactor } from '../reports/report-redactor';
import { RedeemingServer, SECRETS } from '../testing/redeeming-server';
import { reportWith, stageOf } from '../testing/server-report.fixture';
import { WorkflowDatabase } from '../testing/workflow-database';
import { UserDataService } from '../user-data.service';
import type { WorkflowOptions } from '../workflow.options';
import { RedemptionService } from './redemption.service';

const NOW = Date.parse('2026-11-25T12:00:00.000Z');
const HOME = '/opt/agent-manager/';
describe('RedemptionService', () => {
  let database: WorkflowDatabase;
  let tokens: CallbackTokens;
  let now: number;
  const clock = { now: () => new Date(now) };

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  beforeEach(() => {
    now = NOW;
  });

  const service = (knowsCallersAddress = false) => {
    const options: WorkflowOptions = {
      ...database.options,
      callbacks: { publicUrl: 'https://controller.example', pins: [] },
      knowsCallersAddress,
    };
    tokens = new CallbackTokens(database.secretBox, options);
    const userData = new UserDataService(database.provisionings, database.clients, tokens);
    return new RedemptionService(database.provisionings, userData, database.events, options, clock);
  };

  /** A row whose server was ordered, and its bootstrap token. */
  async function ordered(changes: Partial<ProvisioningReference> = {}) {
    const { images } = database.options;
    const at = new Date(NOW);
    const configuration = { images, agentWsPort: 8443, environmentVariables: [], agentDefaultImage: 'worker' };
    const row = await database.insert({
      phase: 'installing',
      phaseSince: at,
      attemptSince: at,
      configuration: configuration as unknown as ProvisioningReference['configuration'],
    });
    await database.dataSource.manager.update('provisioning_references', row.id, {
      sealedSecrets: database.provisionings.sealSecrets(row.id, SECRETS),
      ...tokens.storedHashes(row),
      ...changes,
    });
    return { id: row.id, clientId: row.clientId, token: tokens.redemption(row)?.token ?? '' };
  }

  const redeem = async (
    to: RedemptionService,
    { id, token }: { id: string; token: string },
    server: RedeemingServer,
    { address = '192.0.2.7', ...changes }: { address?: string; sentAt?: number; attempt?: number; token?: string } = {},
  ) => {
    const body = server.request(id, { sentAt: (now += 1_000), ...changes });
    return to.redeem(id, changes.token ?? token, body, address).then(
      (files) => files.map(({ path }) => path.replace(HOME, '')),
      (error: unknown) => (error instanceof AppError ? error.code : String(error)),
    );
  };
  const events = async (clientId: string) =>
    (await database.events.since(clientId, 0)).map(({ type, data }) => [
      type,
      data?.['reason'] ?? null,
      data?.['address'],
    ]);
  const ALL = ['docker-compose.override.yml', 'tls/key.pem', 'callback.curlrc'];

  it('gives the first who asks everything, and then the same key again', async () => {
    const to = service();
    const row = await ordered();
    const server = new RedeemingServer();
    const body = server.request(row.id, { sentAt: now });
    const files = await to.redeem(row.id, row.token, body, '192.0.2.7');
    expect(files.map(({ path, permissions }) => [path.replace(HOME, ''), permissions])).toEqual(
      ALL.map((path) => [path, '0600']),
    );
    const [override, key, callback] = files.map(({ content }) => content);
    for (const value of ['the-api-key', 'the-git-token', 'the $$further value', 'the-database-password', 'the-jwt']) {
      expect(override).toContain(value);
    }
    expect(key).toBe('the-tls-key');
    expect(callback).toContain(`Bearer ${tokens.callback({ id: row.id, attempt: 1 })?.token}`);
    expect(callback).not.toContain(row.token);
    expect(await database.get(row.id)).toMatchObject({ bootstrapKey: server.publicKey, version: 1 });
    expect(await redeem(to, row, server, { address: '198.51.100.1' })).toEqual(ALL);
    expect(await events(row.clientId)).toEqual([['note', null, '192.0.2.7']]);
  });

  it('refuses another key, and tells people', async () => {
    const to = service();
    const row = await ordered();
    const server = new RedeemingServer();
    expect(await redeem(to, row, server)).toEqual(ALL);
    const thief = new RedeemingServer();
    for (let times = 0; times < 3; times += 1) {
      expect(await redeem(to, row, thief, { address: '198.51.100.1' })).toBe('unauthorized');
    }
    expect(await redeem(to, row, server)).toEqual(ALL);
    expect(await events(row.clientId)).toEqual([
      ['note', null, '192.0.2.7'],
      ['error', 'key', '198.51.100.1'],
    ]);
    const [, error] = await database.events.since(row.clientId, 0);
    expect(error).toMatchObject({ data: { code: 'bootstrap-refused', action: expect.any(String) } });
    expect(JSON.stringify(error)).not.toContain(row.token);
  });

  it('lets exactly one of many first requests with different keys win', async () => {
    const to = service();
    const row = await ordered();
    const servers = Array.from({ length: 6 }, () => new RedeemingServer());
    const outcomes = await Promise.all(servers.map((server) => redeem(to, row, server)));
    expect(outcomes.filter((outcome) => outcome !== 'unauthorized')).toEqual([ALL]);
    const winner = servers[outcomes.findIndex((outcome) => outcome !== 'unauthorized')];
    expect((await database.get(row.id)).bootstrapKey).toBe(winner?.publicKey);
  });

  it('refuses strangers alike, without a word in the log', async () => {
    const to = service();
    const row = await ordered();
    const other = await ordered();
    const server = new RedeemingServer();
    const unknown = { id: '00000000-0000-4000-8000-00000000dead', token: row.token };
    const callbackToken = tokens.callback({ id: row.id, attempt: 1 })?.token;
    for (const target of [
      { ...row, token: 'wrong' },
      { ...row, token: '' },
      { ...row, token: other.token },
      { ...row, token: callbackToken ?? '' },
      unknown,
    ]) {
      expect(await redeem(to, target, server)).toBe('unauthorized');
    }
    expect(await events(row.clientId)).toEqual([]);
    expect((await database.get(row.id)).bootstrapKey).toBeNull();
  });

  it.each([
    ['time', (sentAt: number) => sentAt - 602_000],
    ['time', (sentAt: number) => sentAt + 602_000],
  ])('refuses a wrong %s', async (reason, wrong) => {
    const to = service();
    const row = await ordered();
    expect(await redeem(to, row, new RedeemingServer(), { sentAt: wrong(now) })).toBe('unauthorized');
    expect(await events(row.clientId)).toEqual([['error', reason, '192.0.2.7']]);
  });

  it('refuses what is not signed by the key that it names', async () => {
    const to = service();
    const row = await ordered();
    const server = new RedeemingServer();
    const good = server.request(row.id, { sentAt: now });
    const bodies: [unknown, string][] = [
      [{ ...good, publicKey: new RedeemingServer().publicKey }, 'signature'],
      [{ ...good, sentAt: good.sentAt + 1 }, 'signature'],
      [{ ...good, signature: 'AAAA' }, 'signature'],
      [server.request('11111111-1111-4111-8111-111111111111', { sentAt: now }), 'signature'],
      [new RedeemingServer('secp384r1').request(row.id, { sentAt: now }), 'signature'],
      [{ ...good, publicKey: 'AAAA' }, 'signature'],
      [{ ...good, further: 1 }, 'request'],
      [{ ...good, sentAt: '1' }, 'request'],
      [null, 'request'],
      ['x', 'request'],
      [server.request(row.id, { sentAt: now, attempt: 2 }), 'attempt'],
    ];
    for (const [index, [body, reason]] of bodies.entries()) {
      const address = `192.0.2.${index}`;
      await expect(to.redeem(row.id, row.token, body, address)).rejects.toMatchObject({ code: 'unauthorized' });
      expect((await events(row.clientId)).at(-1)).toEqual(['error', reason, address]);
    }
    expect((await database.get(row.id)).bootstrapKey).toBeNull();
    await expect(to.redeem(row.id, row.token, good, '192.0.2.7')).resolves.toHaveLength(3);
  });

  it('answers no request twice', async () => {
    const to = service();
    const row = await ordered();
    const server = new RedeemingServer();
    expect(await redeem(to, row, server, { sentAt: now })).toEqual(ALL);
    expect(await redeem(to, row, server, { sentAt: NOW })).toBe('unauthorized');
    expect(await redeem(to, row, server, { sentAt: NOW - 1 })).toBe('unauthorized');
    expect((await events(row.clientId)).at(-1)).toEqual(['error', 'repeated', '192.0.2.7']);
  });

  it.each([
    ['booting', 'present', true],
    ['creating-server', 'present', true],
    ['installing', 'absent', false],
    ['starting', 'present', false],
    ['ready', 'present', false],
    ['failed', 'present', false],
    ['replacing', 'present', false],
    ['deleting', 'absent', false],
  ] as const)('in the phase %s, when it is to be %s: %s', async (phase, intent, isGood) => {
    const to = service();
    const row = await ordered({ phase, intent });
    expect(await redeem(to, row, new RedeemingServer())).toEqual(isGood ? ALL : 'unauthorized');
  });

  it.each([
    ['ready', { phase: 'starting' }, { kind: 'advance', phase: 'ready' }],
    ['starting', { phase: 'installing' }, { kind: 'advance', phase: 'starting' }],
    ['failed', { phase: 'installing' }, { kind: 'fail', failure: { code: 'timed-out', message: 'x', action: 'y' } }],
    ['deleting', { phase: 'installing' }, { kind: 'advance', phase: 'deleting' }],
  ] as const)('forgets the token with the phase %s', async (_phase, changes, result) => {
    service();
    const row = await ordered({ ...changes, leaseOwner: 'me', leaseUntil: new Date(Date.now() + 60_000) });
    const reference = await database.get(row.id);
    expect(reference.bootstrapTokenHash).not.toBeNull();
    await database.stepCommit.commit({ reference, leaseOwner: 'me' }, result, clock.now());
    expect(await database.get(row.id)).toMatchObject({ phase: _phase, bootstrapTokenHash: null });
  });

  it('refuses after the time limit, though nobody has noticed it yet, and without secrets', async () => {
    const to = service();
    const late = await ordered({ attemptSince: new Date(NOW - database.options.provisioningTimeoutMs) });
    expect(await redeem(to, late, new RedeemingServer())).toBe('unauthorized');
    const wiped = await ordered({ sealedSecrets: null });
    expect(await redeem(to, wiped, new RedeemingServer())).toBe('unauthorized');
  });

  it('gives a new attempt a new token and no key', async () => {
    const to = service();
    const row = await ordered();
    const first = new RedeemingServer();
    expect(await redeem(to, row, first)).toEqual(ALL);
    const lease = { leaseOwner: 'me', leaseUntil: new Date(Date.now() + 60_000) };
    await database.dataSource.manager.update('provisioning_references', row.id, { attempt: 2, ...lease });
    // As an earlier version's controller would leave it.
    expect(await redeem(to, row, first, { attempt: 2 })).toBe('unauthorized');
    const again = await database.get(row.id);
    const order = { sentinelId: 'key', at: clock.now(), ...tokens.storedHashes(again) };
    const seen = { version: again.version, leaseOwner: 'me' };
    expect(await database.provisionings.markCreateRequested(row.id, seen, order)).toBe(true);
    expect(await redeem(to, row, first, { attempt: 2 })).toBe('unauthorized');
    const token = tokens.redemption(again)?.token ?? '';
    expect(await redeem(to, { ...row, token }, new RedeemingServer(), { attempt: 2 })).toEqual(ALL);
  });

  it('is over when the server says that its proxy runs; reports are taken with both tokens until then', async () => {
    const to = service();
    const redactor = new ReportRedactor(database.provisionings, database.clients);
    const callbacks = new CallbackService(database.provisionings, redactor, database.events, clock);
    const row = await ordered();
    const server = new RedeemingServer();
    await callbacks.take(row.id, row.token, reportWith({ seq: 1, stages: [stageOf('secrets', 0)] }));
    expect(await redeem(to, row, server)).toEqual(ALL);
    const token = tokens.callback({ id: row.id, attempt: 1 })?.token ?? '';
    await callbacks.take(
      row.id,
      token,
      reportWith({ seq: 2, stages: [stageOf('secrets', 0, 5), stageOf('proxy', 5)] }),
    );
    expect(await redeem(to, row, server)).toEqual(ALL);
    await callbacks.take(row.id, token, reportWith({ seq: 3, stages: [stageOf('proxy', 5, 9)] }));
    expect(await redeem(to, row, server)).toBe('unauthorized');
    await expect(callbacks.take(row.id, row.token, reportWith({ seq: 4 }))).rejects.toMatchObject({
      code: 'unauthorized',
    });
    await callbacks.take(row.id, token, reportWith({ seq: 5 }));
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
      const to = service(true);
      const row = await ordered(known);
      expect(await redeem(to, row, new RedeemingServer(), { address })).toEqual(isGood ? ALL : 'unauthorized');
      if (!isGood) expect(await events(row.clientId)).toEqual([['error', 'address', address]]);
    });

    it('any address may ask until the provider has told one', async () => {
      const to = service(true);
      const row = await ordered({ publicIp: null });
      const server = new RedeemingServer();
      expect(await redeem(to, row, server, { address: '198.51.100.9' })).toEqual(ALL);
      await database.dataSource.manager.update('provisioning_references', row.id, known);
      expect(await redeem(to, row, server, { address: '198.51.100.9' })).toBe('unauthorized');
      expect(await redeem(to, row, server)).toEqual(ALL);
    });

    it('and not elsewhere', async () => {
      const to = service(false);
      expect(await redeem(to, await ordered(known), new RedeemingServer(), { address: '10.0.0.1' })).toEqual(ALL);
    });
  });

  it('keeps a mad server from the database, and the log short', async () => {
    const to = service();
    const row = await ordered();
    const codes: unknown[] = [];
    for (let index = 0; index < 31; index += 1) {
      const address = `192.0.2.${index}`;
      codes.push(await to.redeem(row.id, row.token, {}, address).catch(({ code }: AppError) => code));
    }
    expect(codes).toEqual([...Array<string>(30).fill('unauthorized'), 'rate-limited']);
    expect(await events(row.clientId)).toHaveLength(20);
  });
});
