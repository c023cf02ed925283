import type { Logger } from '@agent-controller/kernel';
import { Housekeeping } from './housekeeping';
import { HandedBack } from './jobs/hand-back';
import type { StepRunner } from './step-runner.service';
import { advance, type StepContext, type StepResult } from './steps/step';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { runnerOf } from './testing/step-runner';
import { WorkflowDatabase } from './testing/workflow-database';

const ignore = () => undefined;
const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const booting = (serverId: string) => advance('booting', { patch: { serverId } });

describe('StepRunner, when a controller is slow, taken for dead, or stops', () => {
  let database: WorkflowDatabase;
  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  afterEach(() => jest.restoreAllMocks());

  /** A controller whose only step is this one. */
  const controller = (step: (context: StepContext) => Promise<StepResult>): StepRunner =>
    runnerOf(step, database, { provider: new FakeCloudProvider(), logger });

  /** A step that waits for the test. */
  function held(result: StepResult, begin: (context: StepContext) => Promise<void> = async () => undefined) {
    let finish: () => void = ignore;
    let started: () => void = ignore;
    const began = new Promise<void>((resolve) => (started = resolve));
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const step = async (context: StepContext) => {
      await begin(context);
      started();
      await finished;
      return result;
    };
    return { step, began, finish: () => finish() };
  }

  const endLease = (id: string) =>
    database.dataSource.query(
      `UPDATE provisioning_references SET lease_until = now() - interval '1 second' WHERE id = $1`,
      [id],
    );
  const running = new AbortController().signal;

  it('has no lease beside a row that changes at this moment: it would have the client of before', async () => {
    const { id, clientId } = await database.insert();
    const { manager } = database.dataSource;
    const asked = await manager.transaction(async (other) => {
      await other.query('UPDATE provisioning_references SET version = version + 1 WHERE id = $1', [id]);
      await database.clients.update(clientId, { endpoint: 'https://new:3000' }, other);
      const lease = database.provisionings.acquireLease(id, 'someone');
      await database.untilWaiting(1);
      return { lease };
    });
    expect(await asked.lease).toBeNull();
    const leased = await database.provisionings.acquireLease(id, 'someone');
    expect(leased).toMatchObject({ reference: { version: 2 }, client: { endpoint: 'https://new:3000' } });
  });

  it('one that is woken while another of its row runs comes again within a second', async () => {
    const { id } = await database.insert();
    const slow = held(booting('of the slow one'));
    const first = controller(slow.step).run(id, running);
    await slow.began;
    await controller(slow.step).run(id, running);
    const [job]: { waitsMs: number }[] = await database.dataSource.query(
      `SELECT extract(epoch FROM run_at - now())::float * 1000 AS "waitsMs" FROM graphile_worker.jobs WHERE key = $1`,
      [id],
    );
    expect(job?.waitsMs).toBeLessThanOrEqual(1_000);
    slow.finish();
    await first;
  });

  it('a live one that was taken for dead commits nothing after another went on', async () => {
    const { id, clientId } = await database.insert();
    const slow = held(booting('of the slow one'));
    const first = controller(slow.step).run(id, running);
    await slow.began;
    // Its heartbeat was late: its jobs are free for others, but its lease stands.
    await new Housekeeping(database.dataSource, database.options).free(['the slow one']);
    const step = jest.fn(async () => booting('of the other'));
    await controller(step).run(id, running);
    expect(step).not.toHaveBeenCalled();
    await endLease(id);
    await controller(step).run(id, running);
    expect(await database.get(id)).toMatchObject({ phase: 'booting', serverId: 'of the other', version: 2 });
    slow.finish();
    await first;
    expect(await database.get(id)).toMatchObject({ phase: 'booting', serverId: 'of the other', version: 2 });
    expect(await database.events.since(clientId, 0)).toHaveLength(1);
  });

  it('orders nothing once its lease is over, whoever noticed', async () => {
    const { id } = await database.insert();
    const announced = jest.fn();
    const slow = held(booting('1'));
    const late = controller(async (context) => {
      await slow.step(context);
      await context.announceCreate('key').then(announced);
      return booting('1');
    });
    const first = late.run(id, running);
    await slow.began;
    await endLease(id);
    slow.finish();
    await first;
    expect(announced).not.toHaveBeenCalled();
    expect(await database.get(id)).toMatchObject({ createRequestedAt: null, phase: 'creating-server' });
  });

  it('sends no order that it announced before it was frozen for the time of a lease', async () => {
    const { id } = await database.insert();
    let maySend: () => boolean = () => true;
    const frozen = held(booting('1'), async (context) => {
      maySend = await context.announceCreate('key');
    });
    const run = controller(frozen.step).run(id, running);
    await frozen.began;
    expect(maySend()).toBe(true);
    // The announcement has renewed the lease: there is all its time to send the order.
    const [row]: { left: number }[] = await database.dataSource.query(
      `SELECT extract(epoch FROM lease_until - create_requested_at)::float AS left FROM provisioning_references WHERE id = $1`,
      [id],
    );
    expect(row!.left * 1000).toBeGreaterThan(database.options.leaseMs - 1_000);
    const later = Date.now() + database.options.leaseMs;
    jest.spyOn(Date, 'now').mockReturnValue(later);
    expect(maySend()).toBe(false);
    jest.restoreAllMocks();
    frozen.finish();
    await run;
  });

  it('hands a step back that hangs when the controller stops, and its lease with it', async () => {
    const { id } = await database.insert();
    const stop = new AbortController();
    const hanging = held(booting('late'));
    const run = controller(hanging.step).run(id, stop.signal);
    await hanging.began;
    stop.abort();
    await expect(run).rejects.toThrow(HandedBack);
    expect(await database.get(id)).toMatchObject({ leaseOwner: null, phase: 'creating-server' });
    await controller(async () => booting('of the next')).run(id, running);
    hanging.finish();
    expect(await database.get(id)).toMatchObject({ serverId: 'of the next' });
  });

  it('keeps the lease of an order that is on its way, and saves its answer if it still comes', async () => {
    const { id } = await database.insert();
    const stop = new AbortController();
    const ordering = held(booting('ordered'), async (context) => {
      await context.announceCreate('key');
    });
    const run = controller(ordering.step).run(id, stop.signal);
    await ordering.began;
    stop.abort();
    await expect(run).rejects.toThrow(HandedBack);
    expect((await database.get(id)).leaseOwner).not.toBeNull();
    ordering.finish();
    const saved = async () => (await database.get(id)).serverId;
    for (let tries = 0; (await saved()) === null && tries < 1_000; tries++) await new Promise(setImmediate);
    expect(await saved()).toBe('ordered');
  });
});
