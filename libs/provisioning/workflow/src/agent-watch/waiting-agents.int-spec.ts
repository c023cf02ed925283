import type { ProvisioningReference } from '../provisioning-reference.entity';
import { ready } from '../steps/ready.result';
import { reportWith } from '../testing/server-report.fixture';
import { WorkflowDatabase } from '../testing/workflow-database';
import { WaitingAgents } from './waiting-agents.repository';

describe('WaitingAgents', () => {
  let database: WorkflowDatabase;
  let rows: WaitingAgents;
  const now = new Date();
  beforeEach(async () => {
    database = await WorkflowDatabase.create();
    rows = new WaitingAgents(database.dataSource, database.events, database.crowd);
  });
  afterEach(() => database.dispose());

  const insert = (changes: Partial<ProvisioningReference> = {}) => database.insert({ phase: 'installing', ...changes });

  it('counts who waits, and who has waited for as long as it takes', async () => {
    const ago = (ms: number) => ({ phaseSince: new Date(now.getTime() - ms) });
    await insert({ ...ago(900) });
    await insert({ ...ago(1_100) });
    await insert({ phase: 'starting', ...ago(1_900) });
    for (const ms of [2_100, 60_000]) await insert({ phase: 'starting', ...ago(ms) });
    await insert({ phase: 'booting', ...ago(60_000) });
    expect(await rows.count({ installing: 1_000, starting: 2_000 }, now)).toEqual({ count: 5, due: 3 });
  });

  it('settles each server once, by the look that says most, however many looks were under way', async () => {
    const [over, going] = [await insert({ phase: 'starting' }), await insert({ phase: 'starting' })];
    const agents = await rows.claim(2);
    const agentOf = ({ id }: ProvisioningReference) => agents.find(({ row }) => row.id === id)!;
    const nothing = { nextMs: 750, result: null, isNews: false, report: null, silence: null };
    const result = ready({ state: 'ready', warnings: [], config: { gitRepositoryUrl: 'x', agentTypes: [] } });
    const report = reportWith({ seq: 2 });
    await rows.settle(
      [
        ...[nothing, { ...nothing, result }, { ...nothing, result }].map((look) => ({ ...look, agent: agentOf(over) })),
        ...[{ ...nothing, report }, nothing].map((look) => ({ ...look, agent: agentOf(going) })),
      ],
      now,
    );
    expect(database.logger.error).not.toHaveBeenCalled();
    expect(await database.get(over.id)).toMatchObject({ phase: 'ready', nudges: 0, lastEventSeq: 1 });
    expect(await database.get(going.id)).toMatchObject({ report, lastEventSeq: 3 });
    expect((await database.events.since(going.clientId, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('leaves the time of the next look to whoever has set it since the claim', async () => {
    const [claimed, touched] = [await insert(), await insert()];
    const agents = await rows.claim(2);
    const sooner = new Date(Date.now() + 3_000);
    await database.dataSource.query('UPDATE provisioning_references SET health_due_at = $2 WHERE id = $1', [
      ...[touched.id, sooner],
    ]);
    const nothing = { nextMs: 60_000, result: null, isNews: false, report: null, silence: 'ECONNREFUSED' };
    await rows.settle(
      agents.map((agent) => ({ ...nothing, agent })),
      now,
    );
    expect((await database.get(touched.id)).healthDueAt).toEqual(sooner);
    expect((await database.get(claimed.id)).healthDueAt?.getTime()).toBeGreaterThan(now.getTime() + 50_000);
  });
});
