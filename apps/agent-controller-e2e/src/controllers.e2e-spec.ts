import type { ProvisionedClientView } from '@agent-controller/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation } from './support/controller-process';
import { readEvents } from './support/event-stream';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

describe('controllers come and go', () => {
  let installation: Installation;

  beforeEach(async () => {
    installation = await Installation.create();
  });
  afterEach(() => installation.dispose());

  it('a controller killed while it orders: another goes on, with one server', async () => {
    const first = await installation.startController();
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', delayMs: 800, times: 1 });
    const { body } = await provision(first.api);
    await until(
      () => installation.query('SELECT 1 FROM provisioning_references WHERE create_requested_at IS NOT NULL'),
      (rows) => rows.length === 1,
    );
    await first.stop('SIGKILL');
    const second = await installation.startController();
    const ready = await untilPhase(second.api, body.id, 'ready');
    expect(ready).toMatchObject({ phase: 'ready', attempt: 1 });
    expect(await installation.emulator.serverNames()).toHaveLength(1);
    expect((await second.api.delete(`/api/clients/${body.id}/provisioning`, { prefer: 'wait=60' })).status).toBe(204);
    expect(await installation.emulator.serverNames()).toEqual([]);
  });

  it('two controllers share the work, and each tells of all of it', async () => {
    const [one, other] = await Promise.all([installation.startController(), installation.startController()]);
    const started = await Promise.all(Array.from({ length: 6 }, (_, index) => provision([one, other][index % 2]!.api)));
    for (const { body } of started) {
      const stream = other.api.open(`/api/clients/${body.id}/provisioning/events`, { accept: 'text/event-stream' });
      expect((await untilPhase(one.api, body.id, 'ready')).phase).toBe('ready');
      const deleting = one.api.delete(`/api/clients/${body.id}/provisioning`, { prefer: 'wait=60' });
      expect((await readEvents(await stream)).at(-1)?.event).toBe('deleted');
      expect((await deleting).status).toBe(204);
    }
    const orders = (await installation.emulator.requests()).filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/servers'),
    );
    expect(orders).toHaveLength(6);
    expect(await installation.emulator.serverNames()).toEqual([]);
  });

  it('a controller that stops answers waiting calls with 202, ends streams, and loses nothing', async () => {
    const first = await installation.startController();
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', bootFailure: true, times: 1 });
    const waiting = provision(first.api, {}, { prefer: 'wait=120' });
    const { id } = (await until(
      () => first.api.get<ProvisionedClientView[]>('/api/clients').then(({ body }) => body[0]),
      (client) => client !== undefined,
    )) as ProvisionedClientView;
    await untilPhase(first.api, id, 'installing');
    const stopped = first.stop();
    // Long before the connections' keep-alive time of 72 s.
    const inTime = await Promise.race([stopped.then(() => true), sleep(20_000, false, { ref: false })]);
    expect(inTime).toBe(true);
    expect((await waiting).status).toBe(202);
    const second = await installation.startController();
    expect((await info(second.api, id)).phase).toBe('installing');
    expect((await second.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=60' })).status).toBe(204);
  });
});
