import type { Finding } from './crowd-commit';
import { agentWatchJob, awaitedStepJob, jobSql } from './jobs/job-queue';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { phaseEnded } from './signals';
import { recovered, type LastingResult } from './step-changes';
import { bootedResult } from './steps/booting.step';
import { installedResult } from './steps/installing.step';
import { ready } from './steps/ready.result';
import { reportWith, stageOf } from './testing/server-report.fixture';
import { WorkflowDatabase } from './testing/workflow-database';

const NOW = new Date('2026-11-24T12:00:00Z');
const HALF_A_MINUTE_AGO = new Date('2026-11-24T11:59:30Z');

describe('CrowdCommit', () => {
  let database: WorkflowDatabase;
  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterEach(() => database.dataSource.query('DELETE FROM graphile_worker._private_jobs'));
  afterAll(() => database.dispose());

  const insert = (changes: Partial<ProvisioningReference> = {}) =>
    database.insert({
      ...{ phase: 'installing', phaseSince: HALF_A_MINUTE_AGO, attemptSince: HALF_A_MINUTE_AGO, ...changes },
    });
  const save = async (rows: readonly ProvisioningReference[], result: LastingResult = installedResult()) => [
    ...(await database.crowd.save(
      rows.map((row) => ({ row, result })),
      NOW,
    )),
  ];
  const put = async (id: string, delayMs: number) => {
    const { text, values } = jobSql(awaitedStepJob(id, delayMs), 1);
    await database.dataSource.query(`SELECT ${text}`, values);
  };
  const keys = async () => (await database.jobs()).map(({ key }) => key);

  const warned = ready({
    ...{ state: 'ready', warnings: ['credentials-unverified'] },
    config: { gitRepositoryUrl: `https://"quoted".example/\\$1`, agentTypes: ['cursor', 'öther'] },
  });
  const results: [string, Partial<ProvisioningReference>, LastingResult | null][] = [
    [
      'the end of a boot',
      { phase: 'booting', missingSince: NOW, lastSeen: 'x', phaseTimes: { booting: '2026-11-24T11:00:00.000Z' } },
      bootedResult({ serverStatus: 'running', publicIp: '2001:db8::1' }),
    ],
    ['the end of an installation', { lastError: {} as never, consecutiveErrors: 3 }, installedResult()],
    [
      'one with a report',
      { lastEventSeq: 4, report: reportWith({ seq: 1 }), bootstrapTokenHash: 'b', callbackTokenHash: 'c', pausedMs: 9 },
      installedResult(reportWith({ seq: 2, stages: [stageOf('docker', 1, 2)] })),
    ],
    ['the end of the way', { phase: 'starting', callbackTokenHash: 'c', leaseOwner: 'dead', leaseUntil: NOW }, warned],
  ];

  it.each(results)('leaves the same as a step: %s', async (_name, changes, result) => {
    if (!result) throw new Error('There is no result');
    const [ours, steps] = [await insert(changes), await insert(changes)];
    expect(await save([ours], result)).toEqual([ours.id]);
    const leased = await database.provisionings.acquireLease(steps.id, 'runner');
    if (!leased) throw new Error('There is no lease');
    const patch = { ...recovered(leased.reference, NOW), ...result.patch };
    const seen = { reference: leased.reference, leaseOwner: 'runner' };
    expect(await database.stepCommit.commit(seen, { ...result, patch }, NOW)).toBe(true);
    expect(await rowsOf(ours)).toEqual(await rowsOf(steps));
  });

  async function rowsOf({ id, clientId }: ProvisioningReference) {
    const [row] = await database.dataSource.query(
      `SELECT to_jsonb(r) - '{id,client_id,created_at,updated_at,sealed_secrets}'::text[] AS reference,
         sealed_secrets IS NULL AS wiped, r.updated_at > r.created_at AS changed,
         to_jsonb(c) - '{id,name,created_at,updated_at,sealed_credentials}'::text[] AS client, c.updated_at > c.created_at AS "clientChanged",
         (SELECT jsonb_agg(to_jsonb(e) - '{provisioning_id,client_id}'::text[] ORDER BY seq) FROM provisioning_events e
            WHERE e.provisioning_id = r.id AND e.client_id = r.client_id) AS events
       FROM provisioning_references r JOIN clients c ON c.id = r.client_id WHERE r.id = $1 AND c.id = $2`,
      [id, clientId],
    );
    return row as unknown;
  }

  it('saves many of several kinds, tells of each, and says whom', async () => {
    const told: unknown[] = [];
    const end = phaseEnded.listen((fact) => told.push(fact));
    const installing = await Promise.all(Array.from({ length: 7 }, () => insert()));
    const starting = await Promise.all(Array.from({ length: 5 }, () => insert({ phase: 'starting' })));
    const findings: Finding[] = [
      ...installing.map((row) => ({ row, result: installedResult() })),
      ...starting.map((row) => ({ row, result: warned })),
    ];
    const saved = await database.crowd.save(findings, NOW);
    end();
    expect([...saved].sort()).toEqual([...installing, ...starting].map(({ id }) => id).sort());
    for (const { id } of installing) expect((await database.get(id)).phase).toBe('starting');
    for (const { id } of starting) expect((await database.get(id)).phase).toBe('ready');
    expect(told).toHaveLength(12);
    expect(told).toContainEqual(expect.objectContaining({ phase: 'installing', to: 'starting', seconds: 30 }));
  });

  it.each([
    ['a wake-up', 'nudges = nudges + 1'],
    ["a caller's wish", `intent = 'absent'`],
    ['a pause', 'paused_since = now()'],
    ['a report of a failure', `report = '{"seq": 9, "error": {"stage": "docker"}}'`],
    ['a step that runs', `lease_owner = 'other', lease_until = now() + interval '10 seconds'`],
    ['a step that is over', 'version = version + 1'],
  ])('leaves what was touched since it was read to its step: %s', async (_name, change) => {
    const [touched, other] = [await insert(), await insert()];
    await database.dataSource.query(`UPDATE provisioning_references SET ${change} WHERE id = $1`, [touched.id]);
    expect(await save([touched, other])).toEqual([other.id]);
    expect(await database.get(touched.id)).toMatchObject({ phase: 'installing' });
    expect(await database.events.since(touched.clientId, 0)).toEqual([]);
  });

  it('goes on with the row as it is, where its server reported while it was looked at', async () => {
    const [touched, other] = [await insert(), await insert()];
    const newer = reportWith({ seq: 9 });
    await database.dataSource.query(
      'UPDATE provisioning_references SET report = $2, last_event_seq = 4, paused_ms = 7 WHERE id = $1',
      [touched.id, newer],
    );
    const saved = await save([touched, other], installedResult(reportWith({ seq: 8 })));
    expect(saved.sort()).toEqual([touched.id, other.id].sort());
    expect(await database.get(touched.id)).toMatchObject({ phase: 'starting', report: newer, pausedMsBeforePhase: 7 });
    const events = await database.events.since(touched.clientId, 0);
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([[5, 'phase']]);
  });

  it.each([
    ['is late', { phaseSince: new Date(0) }],
    ['stands still', { pausedSince: HALF_A_MINUTE_AGO }],
    ['nobody wants any more', { intent: 'absent' }],
    ['is of a provider without a token', { providerType: 'digital-ocean' }],
  ] as const)('leaves a row to its step that %s', async (_name, changes) => {
    const row = await insert(changes);
    expect(await save([row])).toEqual([]);
    expect(await database.get(row.id)).toEqual(row);
  });

  it('leaves a row alone that somebody is changing, and does not wait for it', async () => {
    const [locked, other] = [await insert(), await insert()];
    await database.dataSource.transaction(async (manager) => {
      await manager.query('SELECT 1 FROM provisioning_references WHERE id = $1 FOR UPDATE', [locked.id]);
      expect(await save([locked, other])).toEqual([other.id]);
    });
  });

  it('begins each phase once, however many find it out', async () => {
    const rows = await Promise.all(Array.from({ length: 10 }, () => insert()));
    const saved = (await Promise.all([save(rows), save([...rows].reverse()), save(rows)])).flat();
    expect(saved.sort()).toEqual(rows.map(({ id }) => id).sort());
    for (const { id, clientId } of rows) {
      expect((await database.get(id)).version).toBe(2);
      expect(await database.events.since(clientId, 0)).toHaveLength(1);
    }
  });

  it('leaves the jobs of rows that still wait, and takes those away of rows that are settled', async () => {
    const [installing, starting, other] = [await insert(), await insert({ phase: 'starting' }), await insert()];
    for (const { id } of [installing, starting, other]) await put(id, 25_000);
    await save([installing]);
    expect((await keys()).sort()).toEqual([installing.id, starting.id, other.id].sort());
    await save([starting], warned);
    expect((await keys()).sort()).toEqual([installing.id, other.id].sort());
  });

  it('leaves all that go with one which cannot be saved to their steps, and says so', async () => {
    const [one, two, other] = [await insert(), await insert(), await insert({ phase: 'starting' })];
    const broken = installedResult();
    broken.events = [{ type: 'note', message: 'no text of PostgreSQL: \u0000' }];
    const findings = [
      ...[
        { row: one, result: broken },
        { row: two, result: installedResult() },
      ],
      { row: other, result: warned },
    ];
    expect([...(await database.crowd.save(findings, NOW))]).toEqual([other.id]);
    expect(database.logger.error).toHaveBeenCalledWith(expect.objectContaining({ rows: 2 }), expect.any(String));
    expect(await database.get(two.id)).toEqual(two);
  });

  it('makes the jobs that it is given once, with what is saved', async () => {
    const rows = [await insert({ phase: 'booting' }), await insert({ phase: 'booting' })];
    const result = bootedResult({ serverStatus: 'running', publicIp: '203.0.113.7' })!;
    const findings = rows.map((row) => ({ row, result }));
    await database.crowd.save([{ row: { ...rows[0]!, version: 7 }, result }], NOW, [agentWatchJob()]);
    expect(await keys()).toEqual([]);
    await database.crowd.save(findings, NOW, [agentWatchJob()]);
    expect(await keys()).toEqual(['watch-waiting-agents']);
  });
});
