import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DROPLET_ORDER, EmulatedCloud, SERVER_ORDER } from './emulated-cloud.fixture';
import { callServer, until } from './server-call.fixture';
import { STATUS_PATH, createKeyPair, userData } from './user-data.fixture';

describe('what the admin API does to a server', () => {
  let cloud: EmulatedCloud;
  beforeAll(async () => (cloud = await EmulatedCloud.start()));
  afterAll(() => cloud?.close());
  beforeEach(() => cloud.newToken());

  const order = (changes: object) => cloud.hetzner().post('/servers', { ...SERVER_ORDER, ...changes });

  it('a bootstrap that stops at a stage; the server says so itself, at both providers', async () => {
    const pair = await createKeyPair();
    const user_data = userData(pair, { statusFolder: '/run/agent-manager' });
    const installFailure = { stage: 'docker', cause: 'Docker could not be installed', logTail: ['E: no'] };
    await cloud.addFault({ installFailure, times: 2 });
    await order({ user_data });
    await cloud.digitalOcean().droplet.createDroplet({ ...DROPLET_ORDER, user_data });
    const servers = await until(
      () => cloud.servers(),
      (all) => all.every(({ problem }) => problem !== null),
    );
    expect(servers).toHaveLength(2);
    for (const { address, statusDocument } of servers) {
      const { status, body } = await callServer({ address, certificate: pair.certificate }, STATUS_PATH);
      expect([status, body]).toEqual([200, statusDocument]);
      expect(body).toMatchObject({ state: 'failed', stage: 'docker', error: { ...installFailure } });
    }
    const refused = await cloud.admin('POST', '/faults', { installFailure: { stage: 'boot', cause: 'x' } });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('installFailure.stage: ')]);
  });

  it('reports that get lost', async () => {
    const callback = 'url = "http://127.0.0.1:9/"\n';
    await cloud.addFault({ callbacks: 'lose' });
    await order({ user_data: userData(await createKeyPair(), { callback }) });
    const [server] = await until(
      () => cloud.servers(),
      ([one]) => one?.statusDocument?.state === 'finished',
    );
    const { seq = 0 } = server?.statusDocument ?? {};
    expect(server?.reports).toEqual(Array.from({ length: seq }, (_, index) => ({ seq: index + 1, outcome: 'lost' })));
  });

  it.each([
    ['in their order', {}, (last: number) => Array.from({ length: last }, (_, index) => index + 1)],
    [
      'in any other order and twice',
      { callbacks: 'twice-and-reversed' },
      (last: number) => Array.from({ length: last / 2 }, (_, pair) => [2, 2, 1, 1].map((seq) => 2 * pair + seq)).flat(),
    ],
  ])('reports that arrive %s', async (_name, fault, expected) => {
    const received: { authorization?: string; seq: number; state: string }[] = [];
    const controller = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { seq, state } = JSON.parse(text) as { seq: number; state: string };
        received.push({ authorization: request.headers.authorization, seq, state });
        response.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(controller, 'listening');
    const { port } = controller.address() as AddressInfo;
    const callback = `url = "http://127.0.0.1:${port}/x"\nheader = "Authorization: Bearer token"\n`;
    await cloud.addFault({ method: 'POST', ...fault });
    await order({ user_data: userData(await createKeyPair(), { callback }) });
    const [server] = await until(
      () => cloud.servers(),
      ([one]) => one?.statusDocument?.state === 'finished',
    );
    const sequence = expected(server?.statusDocument?.seq ?? 0);
    await until(
      async () => received,
      ({ length }) => length >= sequence.length,
    );
    expect(received.map(({ seq }) => seq)).toEqual(sequence);
    expect(received.every(({ authorization }) => authorization === 'Bearer token')).toBe(true);
    controller.close();
  });

  it('says how an agent-manager behaves from now on', async () => {
    const pair = await createKeyPair();
    const { data } = await order({ user_data: userData(pair) });
    const [server] = await until(
      () => cloud.servers(),
      ([one]) => one?.stage === 'agent',
    );
    const target = { address: server?.address ?? '', certificate: pair.certificate };
    const health = async () => (await callServer(target, '/api/health')).status;
    const set = (id: unknown, body: object) => cloud.admin('POST', `/servers/${id}/agent`, body);
    const statuses: number[] = [await health()];
    for (const state of ['down', 'refuses-credentials', 'up']) {
      expect((await set(data.server.id, { state })).status).toBe(200);
      expect((await cloud.servers())[0]?.agentState).toBe(state);
      statuses.push(await health());
    }
    expect(statuses).toEqual([200, 502, 200, 200]);
    expect((await set(data.server.id, { state: 'asleep' })).status).toBe(400);
    expect((await set(1, { state: 'up' })).status).toBe(404);
  });
});
