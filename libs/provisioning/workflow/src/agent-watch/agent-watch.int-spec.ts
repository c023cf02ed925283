import type { Logger } from '@agent-controller/kernel';
import type { ProxyAnswer } from '../agent/agent-health';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { FakeAgentHealth } from '../testing/fake-agent-health';
import { failedReport, reportWith, stageOf } from '../testing/server-report.fixture';
import { WorkflowDatabase } from '../testing/workflow-database';
import { AgentWatch, SHIFT_MS } from './agent-watch';
import { WaitingAgents } from './waiting-agents.repository';

/** Servers that answer by their endpoints; counts who was looked at, and how many at a time. */
class ManyAgents extends FakeAgentHealth {
  readonly silent = new Set<string>();
  readonly looks: string[] = [];
  atOnce = 0;
  most = 0;

  override async look(...given: Parameters<FakeAgentHealth['look']>): Promise<ProxyAnswer> {
    const [target] = given;
    this.looks.push(target.endpoint);
    this.most = Math.max(this.most, ++this.atOnce);
    await new Promise(setImmediate);
    this.atOnce -= 1;
    if (this.silent.has(target.endpoint)) return { state: 'silent', reason: 'ECONNREFUSED' };
    return super.look(...given);
  }
}

describe('AgentWatch', () => {
  let database: WorkflowDatabase;
  let health: ManyAgents;
  let now: Date;
  let watch: AgentWatch;
  const error = jest.fn();
  const logger: Logger = { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error };
  const never = new AbortController().signal;

  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    health = new ManyAgents();
    now = new Date();
    error.mockReset();
    watch = watchOf(database);
  });
  afterEach(() => database.dispose());

  const watchOf = ({ dataSource, crowd, events, clients, options }: WorkflowDatabase) =>
    new AgentWatch(
      ...([
        new WaitingAgents(dataSource, events, crowd),
        health,
        clients,
        options,
        { now: () => now },
        logger,
      ] as const),
    );

  async function insert(changes: Partial<ProvisioningReference> = {}): Promise<ProvisioningReference> {
    const row = await database.insert({ phase: 'installing', ...changes });
    await database.clients.update(row.clientId, {
      ...{ endpoint: `https://${row.clientId}:3000`, tlsServerName: 'name', tlsSpkiSha256: 'pin' },
    });
    return row;
  }
  const endpoint = ({ clientId }: ProvisioningReference) => `https://${clientId}:3000`;
  const keys = async () => (await database.jobs()).map(({ key }) => key);
  const makeDue = () => database.dataSource.query('UPDATE provisioning_references SET health_due_at = NULL');

  /** A shift of so many rounds; looks that are under way end in each pause. */
  async function rounds(count: number, stop = never, one = watch): Promise<void> {
    await one.run(stop, async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      if (--count <= 0) now = new Date(now.getTime() + SHIFT_MS);
    });
  }

  it('begins the next phase of who answers, wakes nobody, and takes no lease', async () => {
    const answers = await insert({ lastSeen: 'nothing yet' });
    const silent = await insert();
    health.silent.add(endpoint(silent));
    health.report = reportWith({ seq: 1 });
    await rounds(2);
    expect(new Set(health.looks)).toEqual(new Set([endpoint(answers), endpoint(silent)]));
    expect(await keys()).toEqual(['watch-waiting-agents']);
    expect(await database.get(answers.id)).toMatchObject({ phase: 'starting', version: 2, nudges: 0, lastSeen: null });
    expect(await database.get(silent.id)).toMatchObject({ phase: 'installing', version: 1, nudges: 0 });
  });

  it('goes on with who was installed to ready, with what is known of the agent-manager', async () => {
    const row = await insert();
    health.report = reportWith({ seq: 3, stages: [stageOf('agent-manager', 10, 20)] });
    await rounds(4);
    expect(health.checkedWith).toEqual([{ type: 'api_key', apiKey: 'the-api-key' }]);
    expect(await database.get(row.id)).toMatchObject({
      ...{ phase: 'ready', sealedSecrets: null, report: { seq: 3 }, version: 3, leaseOwner: null },
    });
    expect(await database.clients.get(row.clientId)).toMatchObject({
      ...{ health: 'healthy', agentConfig: { agentTypes: ['cursor'] } },
    });
    const events = await database.events.since(row.clientId, 0);
    expect(events.map(({ seq, type, phase }) => [seq, type, phase])).toEqual([
      [1, 'stage', 'starting'],
      [2, 'stage', 'starting'],
      [3, 'phase', 'starting'],
      [4, 'phase', 'ready'],
    ]);
  });

  it('leaves one that somebody works on to its step', async () => {
    const row = await insert({ leaseOwner: 'other', leaseUntil: new Date(Date.now() + 60_000) });
    await rounds(2);
    expect(await database.get(row.id)).toMatchObject({ phase: 'installing', nudges: 1, leaseOwner: 'other' });
    expect(await keys()).toContain(row.id);
  });

  it('says why one that is up is not ready, and wakes nobody for it', async () => {
    const row = await insert({ phase: 'starting' });
    health.answer = { state: 'not-ready', reason: 'it refuses us' };
    await rounds(2);
    expect(await database.get(row.id)).toMatchObject({ phase: 'starting', nudges: 0, lastSeen: 'it refuses us' });
    expect(await keys()).toEqual(['watch-waiting-agents']);
  });

  it('looks at nobody before it is time, nor at who is not awaited', async () => {
    await insert({ healthDueAt: new Date(Date.now() + 60_000) });
    await insert({ phase: 'booting' });
    await insert({ phase: 'ready' });
    await insert({ intent: 'absent' });
    await rounds(2);
    expect(health.looks).toEqual([]);
  });

  it('comes to its end, and asks for no other shift, when nobody is awaited', async () => {
    await insert({ phase: 'ready' });
    await rounds(5);
    expect(await keys()).toEqual([]);
  });

  it.each([
    ['says that it failed', { known: reportWith({ seq: 1 }), says: failedReport({ seq: 2 }) }],
    ['is known to have failed', { known: failedReport({ seq: 1 }), says: failedReport({ seq: 1 }) }],
  ])('wakes the step of a server that %s', async (_what, { known, says }) => {
    for (const phase of ['installing', 'starting'] as const) {
      const row = await insert({ phase, report: known });
      health.report = says;
      await rounds(2);
      expect(await keys()).toContain(row.id);
      expect(await database.get(row.id)).toMatchObject({ phase, version: 1, report: known });
    }
  });

  it('saves what a starting server says, with the lines of its log, and wakes nobody for it', async () => {
    const [first, second] = [await insert({ phase: 'starting' }), await insert({ phase: 'starting' })];
    await database.dataSource.query(`UPDATE provisioning_references SET bootstrap_token_hash = 'hash'`);
    health.report = reportWith({ seq: 3, stages: [stageOf('docker', 10, 20), stageOf('proxy', 20, 30)] });
    await rounds(2);
    expect(health.checkedWith).toEqual([]);
    for (const { id, clientId, version } of [first, second]) {
      const row = await database.get(id);
      expect(row).toMatchObject({ report: { seq: 3 }, nudges: 0, version, lastEventSeq: 4, bootstrapTokenHash: null });
      const events = await database.events.since(clientId, 0);
      expect(events.map(({ seq, type }) => [seq, type])).toEqual([1, 2, 3, 4].map((seq) => [seq, 'stage']));
    }
    expect(await keys()).toEqual(['watch-waiting-agents']);
  });

  it('looks again at once when the server says during a look that its phase may be over', async () => {
    const row = await insert();
    health.silent.add(endpoint(row));
    const look = health.look.bind(health);
    health.look = async (...given) => {
      if (health.looks.length === 0) {
        await database.dataSource.query(
          'UPDATE provisioning_references SET health_due_at = LEAST(health_due_at, now())',
        );
      }
      return look(...given);
    };
    await rounds(4);
    expect(health.looks).toHaveLength(2);
  });

  it('in a crowd, looks at once at a server whose agent-manager is up by what it reported', async () => {
    const rows = new WaitingAgents(database.dataSource, database.events, database.crowd);
    rows.count = async () => ({ count: 600, due: 1 });
    watch = new AgentWatch(
      ...([rows, health, database.clients, database.options, { now: () => now }, logger] as const),
    );
    const since = new Date(now.getTime() - 10_000);
    // From then on it is known how long they take.
    await insert({ phase: 'starting', phaseSince: since });
    await rounds(4);
    const up = reportWith({ seq: 5, stages: [stageOf('proxy', 0, 1), stageOf('agent-manager', 1, 2)] });
    const [quick, usual] = [await insert({ report: up, phaseSince: since }), await insert({ phaseSince: since })];
    await rounds(4);
    const phases = await Promise.all([quick, usual].map(async ({ id }) => (await database.get(id)).phase));
    expect(phases).toEqual(['ready', 'starting']);
  });

  it('wakes the step of one that reported its failure by itself, and does not ask it', async () => {
    const row = await insert({ report: failedReport() });
    await rounds(2);
    expect(health.looks).toEqual([]);
    expect((await database.get(row.id)).nudges).toBe(1);
    expect(await keys()).toContain(row.id);
  });

  it('leaves the log alone when the server has reported by itself meanwhile', async () => {
    const row = await insert({ phase: 'starting' });
    health.report = reportWith({ seq: 3, stages: [stageOf('docker', 10, 20)] });
    const look = health.look.bind(health);
    health.look = async (...given) => {
      await database.dataSource.query(`UPDATE provisioning_references SET report = $1`, [reportWith({ seq: 4 })]);
      return look(...given);
    };
    await rounds(2);
    expect(await database.get(row.id)).toMatchObject({ report: { seq: 4 }, lastEventSeq: 0 });
    expect(await database.events.since(row.clientId, 0)).toEqual([]);
  });

  it('checks the agent-manager only when it was started', async () => {
    const begun = reportWith({ seq: 1 });
    await insert({ phase: 'starting', report: begun });
    health.report = begun;
    await rounds(2);
    expect([health.targets.length, health.checkedWith]).toEqual([1, []]);
  });

  it('keeps the looks of a moment below half of the connections, and gets through all', async () => {
    for (let n = 0; n < 60; n++) await insert();
    await rounds(8);
    expect(new Set(health.looks).size).toBe(60);
    expect(health.most).toBeLessThanOrEqual(database.options.agentConnections / 2);
  });

  it('shares the looks with other controllers', async () => {
    for (let n = 0; n < 10; n++) health.silent.add(endpoint(await insert()));
    await Promise.all([rounds(3), rounds(3, never, watchOf(database))]);
    expect(health.looks).toHaveLength(10);
  });

  it('in a crowd, looks at those first that may have something to say by now', async () => {
    const { dataSource, events, crowd, clients, options } = database;
    const rows = new WaitingAgents(dataSource, events, crowd);
    const due: unknown[] = [];
    rows.count = async (dueAfterMs) => {
      due.push(dueAfterMs);
      return { count: 600, due: 1 };
    };
    const clock = { now: () => now };
    watch = new AgentWatch(...([rows, health, clients, options, clock, logger] as const));
    const first = await insert({ phaseSince: new Date(now.getTime() - 10_000) });
    health.report = reportWith({ seq: 1 });
    await rounds(6);
    // A look at it is due when others usually have something to say; nothing is known of that phase yet.
    expect((await database.get(first.id)).phase).toBe('starting');
    const silent = await insert({ phaseSince: now });
    health.silent.add(endpoint(silent));
    await rounds(6);
    expect(due.at(-1)).toEqual({ installing: 8_750, starting: 0 });
    const [{ ms }] = await database.dataSource.query(
      `SELECT extract(epoch FROM health_due_at - now()) * 1000 AS ms FROM provisioning_references WHERE id = $1`,
      [silent.id],
    );
    expect(Number(ms)).toBeGreaterThan(5_000);
    expect(Number(ms)).toBeLessThanOrEqual(8_750);
  });

  it('is on duty once in a process', async () => {
    await insert();
    let other: Promise<void> | undefined;
    await watch.run(never, async () => {
      other ??= watch.run(never);
      await other;
      now = new Date(now.getTime() + SHIFT_MS);
    });
    expect(health.looks.length).toBeLessThanOrEqual(1);
    expect(await keys()).toContain('watch-waiting-agents');
  });

  it('leaves a row alone that is in another phase by now', async () => {
    const row = await insert();
    health.silent.add(endpoint(row));
    const look = health.look.bind(health);
    health.look = async (...given) => {
      await database.dataSource.query(`UPDATE provisioning_references SET phase = 'starting', health_due_at = NULL`);
      return look(...given);
    };
    await watch.run(never, async () => {
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
      now = new Date(now.getTime() + SHIFT_MS);
    });
    expect((await database.get(row.id)).healthDueAt).toBeNull();
  });

  it('suffers a look that breaks, and looks again when its claim is over', async () => {
    const row = await insert();
    health.look = async () => {
      throw new Error('a mistake of ours');
    };
    await rounds(2);
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ provisioningId: row.id }), expect.any(String));
    expect((await database.get(row.id)).healthDueAt).not.toBeNull();
    await makeDue();
    await rounds(2);
    expect(error).toHaveBeenCalledTimes(2);
  });

  it('stops with the controller, and leaves the next shift to another one', async () => {
    const stop = new AbortController();
    await insert();
    await watch.run(stop.signal, async () => stop.abort());
    expect(await keys()).toContain('watch-waiting-agents');
  });
});
