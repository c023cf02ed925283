import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningTombstone } from './provisioning-tombstone.entity';
import { phaseEnded } from './signals';
import { advance, fail, wait, type StepResult } from './steps/step';
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
    expect(await database.provisionings.acquireLease(id, leaseOwner)).toBe(true);
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
    expect(await database.provisionings.acquireLease(reference.id, 'two')).toBe(false);
    expect(await database.provisionings.renewLease(reference.id, 'two')).toBe(false);
    await database.dataSource.query(`UPDATE provisioning_references SET lease_until = now() - interval '1 second'`);
    expect(await database.provisionings.acquireLease(reference.id, 'two')).toBe(true);
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

  function failure() {
    return { code: 'provider-quota' as const, message: 'limit', action: 'delete' };
  }
});
