import type { ProvisionedClientView } from '@agent-controller/contracts';
import { Client } from 'pg';
import type { Answer } from './support/api';
import { Installation, type Controller } from './support/controller-process';
import { DatabaseProxy } from './support/database-proxy';
import { readEvents } from './support/event-stream';
import { PrivateDatabase } from './support/private-database';
import { info, provision, provisionBody, untilPhase } from './support/provision';
import { until } from './support/until';

const ORDER = '/api/clients/provisioning/provision';
const CALLBACK_TOKEN = 'x'.repeat(43);

describe('trouble with the database', () => {
  let database: PrivateDatabase;
  let installation: Installation;
  let controllers: Controller[];
  let proxy: DatabaseProxy;

  beforeAll(async () => {
    database = await PrivateDatabase.create();
    installation = await Installation.create(database);
    proxy = await DatabaseProxy.start(database.url);
    // Both meet an empty database: neither knows of the other.
    controllers = await Promise.all([
      installation.startController(),
      installation.startController({ DATABASE_URL: proxy.url }),
    ]);
  });
  afterAll(async () => {
    await installation.dispose();
    await proxy.stop();
  });

  const first = () => controllers[0]!;
  /** Whose way to the database the tests disturb. */
  const second = () => controllers[1]!;
  const path = (id: string, call = '') => `/api/clients/${id}/provisioning${call}`;

  const orders = async () =>
    (await installation.emulator.requests()).filter(
      ({ method, path: to }) => method === 'POST' && to.endsWith('/servers'),
    ).length;

  const healthy = ({ api }: Controller) =>
    until(
      () => api.get('/api/health'),
      ({ status }) => status === 200,
    );

  async function removeAll(): Promise<void> {
    const { body } = await first().api.get<ProvisionedClientView[]>('/api/clients');
    for (const { id } of body) await first().api.delete(path(id));
    await until(
      () => first().api.get<ProvisionedClientView[]>('/api/clients'),
      (answer) => answer.status === 200 && answer.body.length === 0,
    );
    expect(await installation.emulator.serverNames()).toEqual([]);
  }

  /** As every call must be answered while the database is away. */
  function expectUnavailable(name: string, { status, headers, body }: Answer): void {
    expect([name, status, (body as { code?: string }).code]).toEqual([name, 503, 'service-unavailable']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(headers.get('content-type')).toContain('application/problem+json');
  }

  async function callEverything({ api }: Controller, id: string): Promise<void> {
    const calls: Record<string, Promise<Answer>> = {
      health: api.get('/api/health'),
      ready: api.get('/api/health/ready'),
      list: api.get('/api/clients'),
      client: api.get(`/api/clients/${id}`),
      change: api.patch(`/api/clients/${id}`, { description: 'changed' }),
      remove: api.delete(`/api/clients/${id}`),
      info: api.get(path(id, '/info')),
      events: api.get(path(id, '/events')),
      stream: api.get(path(id, '/events'), { accept: 'text/event-stream' }),
      retry: api.post(path(id, '/retry')),
      deletion: api.delete(path(id)),
      order: provision(api),
      repeatable: provision(api, {}, { 'idempotency-key': 'while-the-database-is-away' }),
      callback: api.post(`/api/provisioning/callbacks/${id}`, {}, { authorization: `Bearer ${CALLBACK_TOKEN}` }),
    };
    for (const [name, answer] of Object.entries(calls)) expectUnavailable(name, await answer);
    expect((await api.get('/api/health/live')).status).toBe(200);
  }

  it('two controllers that start at once on an empty database both come up, once migrated', async () => {
    for (const controller of controllers) await healthy(controller);
    const [migrations] = await installation.query<{ all: number; distinct: number }>(
      'SELECT count(*)::integer AS all, count(DISTINCT name)::integer AS distinct FROM migrations',
    );
    expect(migrations!.all).toBe(migrations!.distinct);
  });

  it('stopped and started while work goes on: 503 meanwhile, no step is lost, no server is made twice', async () => {
    await removeAll();
    const before = await orders();
    const started = await Promise.all([0, 1, 2, 3].map((index) => provision(controllers[index % 2]!.api)));
    const ids = started.map(({ body }) => body.id);
    await untilPhase(first().api, ids[0]!, 'booting');
    const stream = first().api.open(path(ids[0]!, '/events'), { accept: 'text/event-stream' });
    await database.crash();
    for (const controller of controllers) await callEverything(controller, ids[0]!);
    await database.start();
    for (const controller of controllers) await healthy(controller);
    for (const id of ids)
      expect(await untilPhase(second().api, id, 'ready')).toMatchObject({ phase: 'ready', attempt: 1 });
    // It ended when it could not go on; who comes back misses nothing.
    await readEvents(await stream);
    expect(controllers.map(({ isRunning }) => isRunning)).toEqual([true, true]);
    expect(await orders()).toBe(before + ids.length);
    const repeated = await installation.query<{ count: number }>(
      `SELECT 1 FROM provisioning_events WHERE type = 'phase' GROUP BY client_id, attempt, phase HAVING count(*) > 1`,
    );
    expect(repeated).toEqual([]);
    expect(await installation.query('SELECT 1 FROM instance')).toHaveLength(1);
    await removeAll();
  });

  it('connections that are ended again and again while work goes on', async () => {
    const before = await orders();
    const started = await Promise.all([0, 1, 2].map((index) => provision(controllers[index % 2]!.api)));
    // All connections of both, each time that something has happened.
    for (let known = 0; ;) {
      const [{ events, ready }] = (await until(
        () =>
          installation.query<{ events: number; ready: number }>(
            `SELECT sum(last_event_seq)::integer AS events, (count(*) FILTER (WHERE phase = 'ready'))::integer AS ready
             FROM provisioning_references`,
          ),
        ([row]) => row!.events > known,
      )) as [{ events: number; ready: number }];
      await installation.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND application_name IN ('agent-controller', 'jobs', 'changes', 'reconciler')`);
      known = events;
      if (ready === started.length) break;
    }
    for (const { body } of started)
      expect(await untilPhase(first().api, body.id, 'ready')).toMatchObject({ attempt: 1 });
    expect(controllers.map(({ isRunning }) => isRunning)).toEqual([true, true]);
    expect(await orders()).toBe(before + started.length);
    await removeAll();
  });

  it('a failover: silence, then refusals; calls are answered 503 in time, and work goes on', async () => {
    const { body } = await provision(second().api);
    proxy.stall();
    await callEverything(second(), body.id);
    proxy.refuse();
    await callEverything(second(), body.id);
    proxy.pass();
    await healthy(second());
    expect(await untilPhase(second().api, body.id, 'ready')).toMatchObject({ phase: 'ready', attempt: 1 });
    // It works on jobs again, not only on calls.
    await first().stop();
    const { id } = (await provision(second().api)).body;
    expect(await untilPhase(second().api, id, 'ready')).toMatchObject({ phase: 'ready' });
    controllers[0] = await installation.startController();
    await removeAll();
  });

  it('an order whose commit went unanswered: 503, and the repeated one is answered the first', async () => {
    await installation.query(`CREATE FUNCTION commit_slowly() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$`);
    await installation.query(`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON clients DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION commit_slowly()`);
    const order = provisionBody();
    const key = { 'idempotency-key': 'unanswered' };
    const lost = second().api.post<ProvisionedClientView>(ORDER, order, key);
    await until(
      () => installation.query(`SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'`),
      (rows) => rows.length === 1,
    );
    proxy.cut();
    expectUnavailable('lost', await lost);
    const repeated = await until(
      () => second().api.post<ProvisionedClientView>(ORDER, order, key),
      ({ status }) => status !== 503,
    );
    expect(repeated.status).toBe(202);
    const rows = await installation.query<{ id: string }>('SELECT id FROM clients');
    expect(rows).toEqual([{ id: repeated.body.id }]);
    await installation.query('DROP TRIGGER slow ON clients');
    expect(await untilPhase(first().api, repeated.body.id, 'ready')).toMatchObject({ phase: 'ready' });
    await removeAll();
  });

  it('a pool whose connections all wait: 503 in time, and then it works again', async () => {
    const locker = new Client({ connectionString: database.url });
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');
    const answers = await Promise.all(Array.from({ length: 25 }, () => first().api.get('/api/clients')));
    for (const answer of answers) expectUnavailable('list', answer);
    await locker.end();
    expect((await first().api.get('/api/clients')).status).toBe(200);
  });

  it('a database that a newer release has migrated: this one starts and works', async () => {
    await installation.query(`INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`);
    await installation.query('ALTER TABLE clients ADD COLUMN later text');
    await installation.query(`INSERT INTO graphile_worker.migrations (id, breaking) VALUES (999, false)`);
    const third = await installation.startController();
    const { id } = (await provision(third.api)).body;
    await Promise.all(controllers.map((controller) => controller.stop()));
    expect(await untilPhase(third.api, id, 'ready')).toMatchObject({ phase: 'ready' });
    controllers = [third];
    expect((await info(third.api, id)).phase).toBe('ready');
    await removeAll();
  });
});
