import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningTombstone } from './provisioning-tombstone.entity';
import { QuickCommit } from './quick-commit';
import { phaseEnded } from './signals';
import { changesOf } from './step-changes';
import { StepCommit } from './step-commit.service';
import { advance, fail, wait, type StepResult } from './steps/step';
import { reportWith } from './testing/server-report.fixture';
import { WorkflowDatabase } from './testing/workflow-database';

describe('StepCommit', () => {
  let database: WorkflowDatabase;
  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());

  /** What the runner does around a step. */
  async function leased(changes: Partial<ProvisioningReference> = {}, leaseOwner = 'runner') {
    const { id } = await database.insert(changes);
    expect(await database.provisionings.acquireLease(id, leaseOwner)).toMatchObject({ reference: { id, leaseOwner } });
    return { reference: await database.get(id), leaseOwner };
  }

  const commit = (seen: Awaited<ReturnType<typeof leased>>, result: StepResult) =>
    database.stepCommit.commit(seen, result, new Date('2026-11-24T12:00:00Z'));

  it('advances: row, client, log and next job together, and the lease ends', async () => {
    const seen = await leased();
    const result = advance('booting', {
      patch: { serverId: '4711' },
      clientPatch: { endpoint: 'https://203.0.113.7:3000' },
      events: [{ type: 'note', message: 'accepted' }],
    });
    expect(await commit(seen, result)).toBe(true);
    const row = await database.get(seen.reference.id);
    expect(row).toMatchObject({ phase: 'booting', serverId: '4711', version: 2, leaseOwner: null, leaseUntil: null });
    expect(row.phaseTimes).toEqual({ booting: '2026-11-24T12:00:00.000Z' });
    expect((await database.clients.get(row.clientId))?.endpoint).toBe('https://203.0.113.7:3000');
    const events = await database.events.since(row.clientId, 0);
    expect(events.map(({ seq, type, phase }) => [seq, type, phase])).toEqual([
      [1, 'note', 'booting'],
      [2, 'phase', 'booting'],
    ]);
    expect((await database.jobs()).map(({ key }) => key)).toEqual(
      expect.arrayContaining([row.id, 'observe-servers:hetzner']),
    );
  });

  it('tells how long a phase took once it is over, and nothing of what was not committed', async () => {
    const told: unknown[] = [];
    const end = phaseEnded.listen((fact) => told.push(fact));
    const times = { phaseSince: new Date('2026-11-24T11:59:30Z'), createdAt: new Date('2026-11-24T11:58:00Z') };
    await commit(await leased({ phase: 'starting', ...times }), advance('ready'));
    await commit(await leased({ phase: 'booting', ...times }), wait(1_000));
    const seen = await leased({ phase: 'booting', ...times });
    await commit({ ...seen, leaseOwner: 'other' }, advance('installing'));
    await commit(await leased({ phase: 'deleting', ...times }), { kind: 'gone' });
    end();
    expect(told).toEqual([
      { provider: 'hetzner', phase: 'starting', to: 'ready', seconds: 30, sinceOrder: 120 },
      { provider: 'hetzner', phase: 'deleting', to: 'gone', seconds: 30, sinceOrder: null },
    ]);
  });

  describe('by one statement and under the lock', () => {
    const server = { serverId: '4711', serverName: 'one', warnings: ['w'], providerMetadata: { publicIpv6: null } };
    const results: [string, Partial<ProvisioningReference>, StepResult][] = [
      ['a wait', { phase: 'booting', pausedMs: 7 }, wait(60_000, { patch: { lastSeen: 'nothing' } })],
      [
        'a failure',
        { phase: 'starting' },
        fail(failure(), { events: [{ type: 'note', message: `it's "over" \\ $1` }] }),
      ],
      [
        'a phase',
        { lastEventSeq: 3 },
        advance('booting', {
          patch: server,
          clientPatch: {
            endpoint: 'https://203.0.113.7:3000',
            agentConfig: { gitRepositoryUrl: null, agentTypes: [] },
          },
          events: [{ type: 'note', message: 'accepted', data: { serverId: '4711' } }],
        }),
      ],
      ['a report', { phase: 'installing' }, advance('starting', { report: reportWith({ seq: 2 }) })],
      [
        'the end of the way',
        { phase: 'starting', sealedSecrets: 'x' },
        advance('ready', { patch: { sealedSecrets: null } }),
      ],
    ];
    const rowsAfter = async ({ id, clientId }: ProvisioningReference) => ({
      reference: await database.dataSource.query(
        `SELECT sealed_secrets IS NULL AS wiped, to_jsonb(r) - '{id,client_id,created_at,updated_at,attempt_since,sealed_secrets}'::text[] AS row FROM provisioning_references r
         WHERE id = $1`,
        [id],
      ),
      client: await database.dataSource.query(
        `SELECT to_jsonb(c) - '{id,name,created_at,updated_at,sealed_credentials}'::text[] AS row,
           updated_at > created_at AS changed FROM clients c WHERE id = $1`,
        [clientId],
      ),
      events: await database.dataSource.query(
        `SELECT to_jsonb(e) - '{provisioning_id,client_id}'::text[] AS row FROM provisioning_events e
         WHERE provisioning_id = $1 ORDER BY seq`,
        [id],
      ),
      jobs: await database.dataSource.query(
        `SELECT task_identifier, priority, max_attempts, queue_name,
           round(extract(epoch FROM run_at - now()) / 10) AS "inTens"
         FROM graphile_worker.jobs WHERE key = $1 OR key NOT LIKE '%-%-%-%-%' ORDER BY key = $1, key`,
        [id],
      ),
    });

    it.each(results)('makes the same of %s', async (_name, changes, result) => {
      const after = [];
      for (const isQuick of [true, false]) {
        await database.dataSource.query('DELETE FROM graphile_worker._private_jobs');
        await database.dataSource.query('DELETE FROM provisioning_references');
        const quick = new QuickCommit(database.dataSource);
        const outcomes: boolean[] = [];
        const save = quick.save.bind(quick);
        quick.save = async (...given) => {
          outcomes.push(isQuick && (await save(...given)));
          return outcomes.at(-1) === true;
        };
        const { provisionings, clients, events, options } = database;
        const seen = await leased({ ...changes, phaseSince: new Date('2026-11-24T11:00:00Z') });
        const stepCommit = new StepCommit(provisionings, clients, events, quick, options);
        expect(await stepCommit.commit(seen, result, new Date('2026-11-24T12:00:00Z'))).toBe(true);
        expect(outcomes).toEqual([isQuick]);
        after.push(await rowsAfter(seen.reference));
      }
      expect(after[0]).toEqual(after[1]);
    });

    it.each([
      ['a wake-up', 'nudges = nudges + 1'],
      ['a line of the log', 'last_event_seq = last_event_seq + 1'],
      ["a caller's wish", `intent = 'absent'`],
      ['a pause', 'paused_ms = paused_ms + 5'],
      ['a report', `report = '{"seq": 9}'`],
    ])('leaves what was touched meanwhile to the lock: %s', async (_name, change) => {
      const seen = await leased({ phase: 'booting' });
      await database.dataSource.query(`UPDATE provisioning_references SET ${change} WHERE id = $1`, [
        seen.reference.id,
      ]);
      const before = await rowsAfter(seen.reference);
      const now = new Date();
      const changes = changesOf(seen.reference, { kind: 'wait', delayMs: 1_000 }, database.options, now);
      expect(await new QuickCommit(database.dataSource).save(seen, changes, now)).toBe(false);
      expect(await rowsAfter(seen.reference)).toEqual(before);
      expect(await commit(seen, wait(1_000))).toBe(true);
    });
  });

  it.each([
    ['another version', `version = version + 1`],
    ['another lease', `lease_owner = 'other'`],
    ['a lease that ended', `lease_until = now() - interval '1 second'`],
  ])('writes nothing with %s', async (_name, change) => {
    const seen = await leased();
    await database.dataSource.query(`UPDATE provisioning_references SET ${change} WHERE id = $1`, [seen.reference.id]);
    expect(await commit(seen, advance('booting', { clientPatch: { endpoint: 'https://x' } }))).toBe(false);
    const row = await database.get(seen.reference.id);
    expect(row.phase).toBe('creating-server');
    expect((await database.clients.get(row.clientId))?.endpoint).toBeNull();
    expect(await database.events.since(row.clientId, 0)).toEqual([]);
  });

  it('leaves no job of what could not be committed', async () => {
    const seen = await leased();
    const before = await database.jobs();
    const refusal = await database.refuseCommits('provisioning_references');
    await expect(commit(seen, advance('booting', { patch: { serverId: '4712' } }))).rejects.toThrow(
      'refused by the test',
    );
    await refusal.end();
    expect(await database.jobs()).toEqual(before);
    expect(await database.get(seen.reference.id)).toMatchObject({ phase: 'creating-server', serverId: null });
  });

  it('gives a lease to one only, and to another when it ended', async () => {
    const { reference } = await leased({}, 'one');
    expect(await database.provisionings.acquireLease(reference.id, 'two')).toBeNull();
    expect(await database.provisionings.renewLease(reference.id, 'two')).toBe(false);
    await database.dataSource.query(`UPDATE provisioning_references SET lease_until = now() - interval '1 second'`);
    expect(await database.provisionings.acquireLease(reference.id, 'two')).not.toBeNull();
    expect(await database.provisionings.renewLease(reference.id, 'one')).toBe(false);
  });

  it('deletes what nobody wants any more, whatever the step found, and keeps the id of its server', async () => {
    for (const result of [advance('booting', { patch: { serverId: '1' } }), fail(failure()), wait(60_000)]) {
      const seen = await leased();
      await database.dataSource.query(`UPDATE provisioning_references SET intent = 'absent' WHERE id = $1`, [
        seen.reference.id,
      ]);
      expect(await commit(seen, result)).toBe(true);
      expect(await database.get(seen.reference.id)).toMatchObject({
        phase: 'deleting',
        serverId: result.kind === 'advance' ? '1' : null,
      });
      await database.dataSource.query('DELETE FROM provisioning_references');
    }
  });

  it('refuses a transition that the table does not have', async () => {
    const seen = await leased();
    await expect(commit(seen, advance('ready'))).rejects.toThrow('ready cannot follow creating-server');
    expect((await database.get(seen.reference.id)).phase).toBe('creating-server');
  });

  it('runs a step again at once when something woke it meanwhile', async () => {
    const seen = await leased({ phase: 'booting' });
    await database.provisionings.nudge(seen.reference.id, database.dataSource.manager);
    await commit(seen, wait(3_600_000));
    const [job]: { soon: boolean }[] = await database.dataSource.query(
      `SELECT run_at < now() + interval '1 minute' AS soon FROM graphile_worker.jobs WHERE key = $1`,
      [seen.reference.id],
    );
    expect(job?.soon).toBe(true);
  });

  it('runs a step again at the latest when its time is over', async () => {
    const now = new Date('2026-11-24T12:00:00Z');
    const { booting } = database.options.phaseTimeoutMs;
    const seen = await leased({
      phase: 'booting',
      attemptSince: now,
      phaseSince: new Date(now.getTime() - booting + 7_000),
    });
    await commit(seen, wait(25_000));
    const [job]: { inMs: number }[] = await database.dataSource.query(
      `SELECT extract(epoch FROM run_at - now())::double precision * 1000 AS "inMs" FROM graphile_worker.jobs WHERE key = $1`,
      [seen.reference.id],
    );
    expect(job?.inMs).toBeLessThanOrEqual(7_000);
  });

  it('buries: rows go, the log stays and ends with "deleted", a tombstone knows', async () => {
    const seen = await leased({ phase: 'deleting', intent: 'absent', serverId: '99' });
    const { id, clientId } = seen.reference;
    expect(await commit(seen, { kind: 'gone' })).toBe(true);
    expect(await database.provisionings.find(id)).toBeNull();
    expect(await database.clients.get(clientId)).toBeNull();
    const events = await database.events.since(clientId, 0);
    expect(events.at(-1)?.type).toBe('deleted');
    expect(events.every(({ expiresAt }) => expiresAt?.toISOString() === '2026-11-25T12:00:00.000Z')).toBe(true);
    const [tombstone] = await database.dataSource.manager.findBy(ProvisioningTombstone, { clientId });
    expect(tombstone).toMatchObject({ provisioningId: id, owner: 'someone', serverId: '99' });
  });

  it('lets a create be announced only with lease and intent', async () => {
    const seen = await leased();
    const { id, version } = seen.reference;
    const ours = { version, leaseOwner: 'runner' };
    const order = {
      sentinelId: 'key',
      at: new Date('2026-11-24T12:00:05.000Z'),
      firewallName: 'wall',
      callbackTokenHash: 'hash',
      bootstrapTokenHash: 'b',
    };
    expect(await database.provisionings.markCreateRequested(id, { ...ours, leaseOwner: 'other' }, order)).toBe(false);
    expect(await database.provisionings.markCreateRequested(id, ours, order)).toBe(true);
    expect(await database.get(id)).toMatchObject({
      createRequestedAt: order.at,
      sentinelId: 'key',
      firewallName: 'wall',
      callbackTokenHash: 'hash',
    });
    await database.dataSource.query(`UPDATE provisioning_references SET intent = 'absent' WHERE id = $1`, [id]);
    expect(await database.provisionings.markCreateRequested(id, ours, order)).toBe(false);
  });
});

function failure() {
  return { code: 'provider-quota' as const, message: 'limit', action: 'delete' };
}
