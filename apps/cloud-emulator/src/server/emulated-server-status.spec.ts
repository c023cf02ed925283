import { Keycloak } from '../keycloak';
import { callServer, until } from '../server-call.fixture';
import { DEFAULT_SETTINGS } from '../settings';
import { STATUS_PATH, createKeyPair, userData, type KeyPair, type UserDataChanges } from '../user-data.fixture';
import { AddressPool } from './address-pool';
import { EmulatedServer } from './emulated-server';
import type { ServerOrder } from './machine';
import { STAGES, type StatusView } from './status-document';

const SPEED = { ...DEFAULT_SETTINGS, bootMs: 1, installMs: 1, startMs: 1 };
const KEY = 'Bearer the key of $everyone';

describe('EmulatedServer says how far it is', () => {
  const pool = new AddressPool();
  let pair: KeyPair;
  let server: EmulatedServer;

  beforeAll(async () => {
    pair = await createKeyPair();
  });
  afterEach(async () => {
    await server.stop();
    pool.release(server.order.address);
  });

  function start(order: Partial<ServerOrder> = {}, changes: UserDataChanges = {}, speed = SPEED) {
    const text = userData(pair, { statusFolder: '/run/agent-manager', ...changes });
    const all = { userData: text, acceptsBase64: true, address: pool.take(), bootFails: false, ...order };
    server = new EmulatedServer(all, new Keycloak(), () => undefined);
    server.start(speed);
  }
  const call = (path: string, authorization?: string, port = 3000) =>
    callServer({ address: server.order.address, port, certificate: pair.certificate }, path, authorization);
  const seen = async () => (await call(STATUS_PATH)).body as StatusView;
  const ends = () =>
    until(
      async () => server.status,
      (status) => status !== null && status.state !== 'running',
    );

  it('through the proxy, from its first answer to the end', async () => {
    start({}, {}, { ...SPEED, startMs: 3_600_000 });
    const running = await until(seen, ({ stages }) => stages.at(-1)?.endedAt !== null);
    expect(running).toMatchObject({ version: 1, state: 'running', stage: 'postgres-image', error: null });
    expect((await call('/api/health')).status).toBe(502);
    await server.stop();

    start();
    await until(seen, ({ state }) => state === 'finished');
    const { stages, seq } = await seen();
    // Its secret files are in the user data.
    const expected = STAGES.filter((stage) => stage !== 'secrets');
    expect(stages.map(({ name }) => name).sort()).toEqual(expected.sort());
    for (const { startedAt, endedAt } of stages)
      expect(Date.parse(endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt));
    expect(seq).toBe(8);
    expect((await call('/api/health')).status).toBe(200);
  });

  it.each<[string, UserDataChanges, number]>([
    ['where no such folder is mounted', { statusFolder: '/run/other' }, 404],
    ['where the proxy has no such path', { statusFolder: undefined }, 502],
  ])('not %s', async (_name, changes, status) => {
    start({}, changes, { ...SPEED, startMs: 3_600_000 });
    expect(
      await until(
        () => call(STATUS_PATH),
        () => true,
      ),
    ).toMatchObject({ status });
  });

  it.each(['docker', 'proxy'] as const)('itself when %s fails, by the same key, and nothing else', async (stage) => {
    const logTail = ['E: Unable to locate package docker-ce'];
    start({ installFailure: { stage, cause: 'It is not there', logTail } });
    const status = await until(seen, ({ state }) => state === 'failed');
    expect(status).toMatchObject({ stage, error: { stage, cause: 'It is not there', logTail } });
    expect((await call('/api/health')).status).toBe(404);
    await expect(call('/', undefined, 8443)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(server).toMatchObject({
      life: 'running',
      phase: 'broken',
      problem: expect.stringContaining('It is not there'),
    });
  });

  it.each(['postgres-image', 'agent-manager-image', 'postgres', 'agent-manager'] as const)(
    'through the proxy when %s fails',
    async (stage) => {
      start({ installFailure: { stage, cause: 'It failed' } });
      await ends();
      expect(await seen()).toMatchObject({ state: 'failed', stage, error: { cause: 'It failed', logTail: [] } });
      expect((await call('/api/health')).status).toBe(502);
    },
  );

  it('and that its agent-manager cannot work with what it was given', async () => {
    start({}, { agent: { JWT_SECRET: null } });
    await ends();
    const error = { stage: 'agent-manager', cause: expect.stringContaining('JWT_SECRET') };
    expect(await seen()).toMatchObject({ state: 'failed', error });
  });

  it('also while its agent-manager is down; one that refuses credentials is healthy all the same', async () => {
    start();
    await ends();
    const statuses = async () => {
      const calls = [call('/api/health'), call('/api/config', KEY), call('/', undefined, 8443), call(STATUS_PATH)];
      return (await Promise.all(calls)).map(({ status }) => status);
    };
    expect(await statuses()).toEqual([200, 200, 200, 200]);
    server.agentState = 'down';
    expect(await statuses()).toEqual([502, 502, 502, 200]);
    server.agentState = 'refuses-credentials';
    expect(await statuses()).toEqual([200, 401, 200, 200]);
    server.agentState = 'up';
    expect(await statuses()).toEqual([200, 200, 200, 200]);
  });
});
