import type { ProvisionedClientView } from '@agent-controller/contracts';
import { Installation } from './support/controller-process';
import { DatabaseProxy } from './support/database-proxy';
import { openStream } from './support/event-stream';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

/** Who asks for the end may kill after this time. */
const LIMIT_MS = 10_000;
/** Longer than that. */
const HANGS_MS = 13_000;

describe('a controller that is asked to end, while', () => {
  let installation: Installation;

  beforeEach(async () => {
    installation = await Installation.create();
  });
  afterEach(() => installation.dispose());

  const deletion = (id: string) => `/api/clients/${id}/provisioning`;

  it('a provider leaves an order and a deletion unanswered: ends in time, and another goes on with both', async () => {
    const first = await installation.startController();
    const old = await provision(first.api, {}, { prefer: 'wait=60' });
    expect(old.status).toBe(201);
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', delayMs: HANGS_MS, times: 1 });
    await installation.emulator.addFault({ method: 'DELETE', path: '^/servers/', delayMs: HANGS_MS, times: 1 });
    const { body: ordered } = await provision(first.api);
    expect((await first.api.delete(deletion(old.body.id))).status).toBe(202);
    await until(
      () =>
        installation.query(`SELECT 1 FROM provisioning_references WHERE lease_owner IS NOT NULL
          AND (phase = 'deleting' OR create_requested_at IS NOT NULL)`),
      (rows) => rows.length === 2,
    );
    expect(await first.terminate(LIMIT_MS)).toBe(0);
    // Handed back: nobody has to wait until this controller is taken for dead.
    expect(await installation.query(`SELECT 1 FROM graphile_worker.jobs WHERE locked_by IS NOT NULL`)).toEqual([]);
    const second = await installation.startController();
    expect((await second.api.delete(deletion(old.body.id), { prefer: 'wait=60' })).status).toBe(204);
    // It looks for what was ordered, and does not order again for as long as that may still show.
    await until(
      () => info(second.api, ordered.id),
      ({ message }) => message.includes('its server is not seen yet'),
    );
    const orders = (await installation.emulator.requests()).filter(({ method }) => method === 'POST');
    expect(orders.filter(({ path }) => path.endsWith('/servers')).length).toBeLessThanOrEqual(2);
  });

  it('nobody reads its log any more: has worked on until then, and ends in time', async () => {
    const proxy = await DatabaseProxy.start(installation.database.url);
    try {
      const controller = await installation.startController({ DATABASE_URL: proxy.url });
      const { body, status } = await provision(controller.api, {}, { prefer: 'wait=60' });
      expect(status).toBe(201);
      controller.closeOutput();
      // Several warnings in a moment, each of which is written at once.
      proxy.cut();
      const deleted = await until(
        () => controller.api.delete(deletion(body.id), { prefer: 'wait=60' }),
        (answer) => answer.status !== 503,
      );
      expect(deleted.status).toBe(204);
      expect(await controller.terminate(LIMIT_MS)).toBe(0);
    } finally {
      await proxy.stop();
    }
  });

  it('its database does not answer: ends in time, with calls answered and streams closed', async () => {
    const proxy = await DatabaseProxy.start(installation.database.url);
    try {
      const first = await installation.startController({ DATABASE_URL: proxy.url });
      await installation.emulator.addFault({ method: 'POST', path: '^/servers$', bootFailure: true, times: 1 });
      const waiting = provision(first.api, {}, { prefer: 'wait=120' });
      const { id } = (await until(
        () => first.api.get<ProvisionedClientView[]>('/api/clients').then(({ body }) => body[0]),
        (client) => client !== undefined,
      )) as ProvisionedClientView;
      await untilPhase(first.api, id, 'installing');
      const stream = (await openStream(first.api, `/api/clients/${id}/provisioning/events`)).take();
      proxy.stall();
      expect(await first.terminate(LIMIT_MS)).toBe(0);
      expect((await waiting).status).toBe(202);
      // It would reject if the connection had been broken.
      await expect(stream).resolves.toEqual(expect.any(Array));
      const second = await installation.startController();
      expect((await info(second.api, id)).phase).toBe('installing');
      expect((await second.api.delete(deletion(id), { prefer: 'wait=60' })).status).toBe(204);
    } finally {
      await proxy.stop();
    }
  });
});
