import type { Problem, ProvisionedClientView } from '@agent-controller/contracts';
import { Installation } from './support/controller-process';
import { provision, untilPhase } from './support/provision';
import { until } from './support/until';

const order = { name: 'repeated' };
const key = { 'idempotency-key': '"7d0c-one-order"' };

describe('orders that are repeated', () => {
  let installation: Installation;

  beforeEach(async () => {
    installation = await Installation.create();
  });
  afterEach(() => installation.dispose());

  const orders = async () =>
    (await installation.emulator.requests()).filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/servers'),
    );

  it('at once, on two controllers, until it is deleted: one server', async () => {
    const [one, other] = await Promise.all([installation.startController(), installation.startController()]);
    const answers = await Promise.all([one, other, one, other].map(({ api }) => provision(api, order, key)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    const { id, apiKey } = answers[0]!.body;
    expect(apiKey).not.toBeNull();
    for (const { body } of answers) expect(body).toMatchObject({ id, apiKey });
    const waited = await provision(other.api, order, { ...key, prefer: 'wait=60' });
    expect(waited).toMatchObject({ status: 201, body: { id, apiKey, provisioning: { phase: 'ready' } } });
    const changed = await provision(one.api, { ...order, description: 'new' }, key);
    expect(changed).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    expect(await orders()).toHaveLength(1);
    expect(await installation.everythingStored()).not.toContain(apiKey);
    expect((await one.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=60' })).status).toBe(204);
    const gone = await provision(other.api, order, key);
    expect(gone).toMatchObject({ status: 410, body: { code: 'idempotency-key-gone', clientId: id } });
    expect(await orders()).toHaveLength(1);
    expect(await installation.emulator.serverNames()).toEqual([]);
  });

  it('after its controller was killed as soon as it had committed: the same server, told by another', async () => {
    const first = await installation.startController();
    // The answer is held back for the end, so that it never comes.
    const lost = provision(first.api, order, { ...key, prefer: 'wait=600' }).catch(() => null);
    const [row] = await until(
      () => installation.query<{ client_id: string }>('SELECT client_id FROM idempotency_keys'),
      (rows) => rows.length === 1,
    );
    await first.stop('SIGKILL');
    expect(await lost).toBeNull();
    const second = await installation.startController();
    const { status, body } = await provision(second.api, order, key);
    expect([status, body.id]).toEqual([202, row!.client_id]);
    expect(body.apiKey).toEqual(expect.any(String));
    expect((await untilPhase(second.api, body.id, 'ready')).phase).toBe('ready');
    expect(await installation.emulator.serverNames()).toHaveLength(1);
    const clients = await second.api.get<ProvisionedClientView[]>('/api/clients');
    expect(clients.body).toHaveLength(1);
  });

  it('refuses a header that is no key, and lets refused requests be corrected under theirs', async () => {
    const { api } = await installation.startController();
    const { status, body } = await provision(api, order, { 'idempotency-key': 'two words' });
    expect([status, (body as unknown as Problem).errors?.[0]?.field]).toEqual([400, 'Idempotency-Key']);
    expect((await provision(api, { ...order, agentWsPort: 22 }, key)).status).toBe(400);
    expect((await provision(api, { ...order, serverType: 'none' }, key)).status).toBe(422);
    expect((await provision(api, order, key)).status).toBe(202);
  });
});
