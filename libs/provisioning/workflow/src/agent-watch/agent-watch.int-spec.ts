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

  const watchOf = ({ dataSource, events, options }: WorkflowDatabase) =>
    new AgentWatch(new WaitingAgents(dataSource, events), health, options, { now: () => now }, logger);

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

  it('wakes the step of who answers, and of nobody else', async () => {
    const answers = await insert();
    const silent = await insert();
    health.silent.add(endpoint(silent));
    await rounds(2);
    expect(health.looks.sort()).toEqual([endpoint(answers), endpoint(silent)].sort());
    expect((await keys()).sort()).toEqual([answers.id, 'watch-waiting-agents'].sort());
    expect([(await database.get(answers.id)).nudges, (await database.get(silent.id)).nudges]).toEqual([1, 0]);
    expect((await database.get(silent.id)).version).toBe(silent.version);
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
    ['says that it failed', { known: reportWith({ seq: 1 }), says: failedReport({ seq: 2 }), up: false }, true],
    ['says what is known', { known: reportWith({ seq: 2 }), says: reportWith({ seq: 2 }), up: false }, false],
    ['has no status document, and is up', { known: null, says: null, up: true }, true],
    ['has no status document, and is not up', { known: null, says: null, up: false }, false],
  ])('wakes the step of a starting server that %s: %j', async (_what, { known, says, up }, woken) => {
    const row = await insert({ phase: 'starting', report: known });
    health.report = says;
    if (!up) health.answer = { state: 'not-ready', reason: 'not yet' };
    await rounds(2);
    expect((await keys()).includes(row.id)).toBe(woken);
  });

  it('saves what a starting server says, with the lines of its log, and wakes nobody for it', async () => {
    const [first, second] = [await insert({ phase: 'starting' }), await insert({ phase: 'starting' })];
    await database.dataSource.query(`UPDATE provisioning_references SET bootstrap_token_hash = 'hash'`);
    health.report = reportWith({ seq: 3, stages: [stageOf('docker', 10, 20), stageOf('proxy', 20, 30)] });
    await rounds(2);
    for (const { id, clientId, version } of [first, second]) {
      const row = await database.get(id);
      expect(row).toMatchObject({ report: { seq: 3 }, nudges: 0, version, lastEventSeq: 4, bootstrapTokenHash: null });
      const events = await database.events.since(clientId, 0);
      expect(events.map(({ seq, type }) => [seq, type])).toEqual([1, 2, 3, 4].map((seq) => [seq, 'stage']));
    }
    expect(await keys()).toEqual(['watch-waiting-agents']);
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

  it('asks whether the agent-manager is up only when it was started', async () => {
    const begun = reportWith({ seq: 1 });
    await insert({ phase: 'starting', report: begun });
    health.report = begun;
    await rounds(2);
    expect([health.targets.length, health.upAsked]).toEqual([1, 0]);
  });

  it('keeps the looks of a moment below half of the connections, and gets through all', async () => {
    for (let n = 0; n < 60; n++) await insert();
    await rounds(8);
    expect(new Set(health.looks).size).toBe(60);
    expect(health.most).toBeLessThanOrEqual(database.options.agentConnections / 2);
  });

  it('shares the looks with other controllers', async () => {
    for (let n = 0; n < 10; n++) await insert();
    await Promise.all([rounds(3), rounds(3, never, watchOf(database))]);
    expect(health.looks).toHaveLength(10);
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
