import { Installation, type Controller } from './support/controller-process';
import { DatabaseProxy } from './support/database-proxy';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

describe('a controller that dies or is cut off', () => {
  let installation: Installation;

  beforeEach(async () => {
    installation = await Installation.create();
  });
  afterEach(() => installation.dispose());

  const orders = async () =>
    (await installation.emulator.requests()).filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/servers'),
    ).length;

  /** Phases that an attempt entered, each as often as it did. */
  const phases = () =>
    installation.query<{ count: number }>(
      `SELECT count(*)::integer AS count FROM provisioning_events WHERE type = 'phase' GROUP BY client_id, attempt, phase`,
    );

  it('killed in every phase: goes on alone after its restart, with one server for each order', async () => {
    const first = await installation.startController();
    const deleted = await provision(first.api, {}, { prefer: 'wait=60' });
    const ids: string[] = [];
    for (let started = 0; started < 3; started++) {
      const { id } = (await provision(first.api)).body;
      ids.push(id);
      if (started < 2) await untilPhase(first.api, id, started === 0 ? 'starting' : 'booting');
    }
    await first.api.delete(`/api/clients/${deleted.body.id}/provisioning`);
    await first.stop('SIGKILL');
    const second = await installation.startController();
    for (const id of ids)
      expect(await untilPhase(second.api, id, 'ready')).toMatchObject({ phase: 'ready', attempt: 1 });
    const again = await second.api.delete(`/api/clients/${deleted.body.id}/provisioning`, { prefer: 'wait=60' });
    expect(again.status).toBe(204);
    expect(await installation.emulator.serverNames()).toHaveLength(ids.length);
    // One that was killed while it ordered is in controllers.e2e-spec.ts.
    expect(await orders()).toBe(ids.length + 1);
    expect((await phases()).every(({ count }) => count === 1)).toBe(true);
  });

  it('cut from the database while it goes on: another takes over, and what the first did late changes nothing', async () => {
    const proxy = await DatabaseProxy.start(installation.database.url);
    try {
      const first = await installation.startController({ DATABASE_URL: proxy.url });
      await installation.emulator.addFault({ method: 'POST', path: '^/servers$', delayMs: 1_500, times: 1 });
      const { id } = (await provision(first.api)).body;
      await until(
        () => installation.query('SELECT 1 FROM provisioning_references WHERE create_requested_at IS NOT NULL'),
        (rows) => rows.length === 1,
      );
      proxy.stall();
      const second = await installation.startController();
      expect(await untilPhase(second.api, id, 'ready')).toMatchObject({ phase: 'ready', attempt: 1 });
      // Whatever waited in the network arrives now, and the first controller works again.
      proxy.pass();
      await until(
        () => first.api.get('/api/health'),
        ({ status }) => status === 200,
      );
      expect(first.isRunning).toBe(true);
      expect(await info(first.api, id)).toMatchObject({ phase: 'ready' });
      const { body } = await provision(first.api);
      expect(await untilPhase(first.api, body.id, 'ready')).toMatchObject({ phase: 'ready' });
      expect(await orders()).toBe(2);
      expect(await installation.emulator.serverNames()).toHaveLength(2);
      expect((await phases()).every(({ count }) => count === 1)).toBe(true);
    } finally {
      await proxy.stop();
    }
  });

  it('frozen between the announcement of an order and the order: sends nothing when it wakes', async () => {
    await installation.query(`CREATE FUNCTION wait_a_moment() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$`);
    await installation.query(`CREATE TRIGGER announced BEFORE UPDATE OF create_requested_at ON provisioning_references
      FOR EACH ROW WHEN (NEW.create_requested_at IS NOT NULL AND OLD.create_requested_at IS NULL)
      EXECUTE FUNCTION wait_a_moment()`);
    const controller: Controller = await installation.startController();
    const { id } = (await provision(controller.api)).body;
    const announcing = () =>
      installation.query(`SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE '%create_requested_at%'`);
    await until(announcing, (rows) => rows.length === 1);
    controller.signal('SIGSTOP');
    // The announcement is made, and its lease ends, while nothing in the controller runs.
    await until(
      () =>
        installation.query(
          `SELECT 1 FROM provisioning_references WHERE create_requested_at IS NOT NULL AND lease_until < now()`,
        ),
      (rows) => rows.length === 1,
    );
    controller.signal('SIGCONT');
    // Several things stand in the way of the order: the connection to the database that gave itself up, the lease, and
    // `maySend`, whose every moment is in guarded-transport.spec.ts and step-runner.int-spec.ts.
    // Then the step has come to its end, and the next one looks instead of ordering.
    const seen = await until(
      () => info(controller.api, id),
      ({ message }) => message.includes('its server is not seen yet'),
    );
    expect(seen.phase).toBe('creating-server');
    expect(await orders()).toBe(0);
    expect((await controller.api.delete(`/api/clients/${id}/provisioning`)).status).toBe(202);
  });
});
