import type { Pool } from 'pg';
import { AppError } from '@agent-controller/kernel';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { callbackService } from '../testing/callback-service';
import { failedReport, reportWith, stageOf } from '../testing/server-report.fixture';
import { WorkflowDatabase } from '../testing/workflow-database';
import type { CallbackService } from './callback.service';
import { tokenHash } from './callback-tokens';

/** Where statements go that do not go through TypeORM. */
function poolOf({ dataSource }: WorkflowDatabase): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

describe('CallbackService', () => {
  let database: WorkflowDatabase;
  let service: CallbackService;
  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    await database.dataSource.query('DELETE FROM graphile_worker._private_jobs');
    service = callbackService(database, { now: () => new Date('2026-11-25T12:00:00Z') });
  });

  const provisioning = (changes: Partial<ProvisioningReference> = {}) =>
    database.insert({ phase: 'installing', callbackTokenHash: tokenHash('token'), ...changes });
  async function withSecrets() {
    const seen = await provisioning();
    const sealedSecrets = database.provisionings.sealSecrets(seen.id, {
      git: { token: 'the-git-token' },
      environment: {},
      server: { databasePassword: 'x', jwtSecret: 'y', encryptionKey: 'z' },
      tlsPrivateKeyPem: 'k',
    });
    await database.dataSource.query('UPDATE provisioning_references SET sealed_secrets = $2 WHERE id = $1', [
      seen.id,
      sealedSecrets,
    ]);
    return seen;
  }
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'taken',
      (error: unknown) => (error instanceof AppError ? error.code : String(error)),
    );

  it('saves and logs; late and repeated reports change nothing', async () => {
    const { id, clientId, nudges, version } = await provisioning();
    const second = reportWith({ seq: 2, stages: [stageOf('boot', 0, 20), stageOf('docker', 20, 30)] });
    await service.take(id.toUpperCase(), 'token', second);
    const row = await database.get(id);
    expect(row).toMatchObject({ report: second, nudges, version, lastEventSeq: 4 });
    // The watch is on duty: no step is needed.
    expect(await database.jobs()).toEqual([]);
    const before = await database.events.since(clientId, 0);
    expect(before.map(({ type }) => type)).toEqual(['stage', 'stage', 'stage', 'stage']);
    await service.take(id, 'token', reportWith({ seq: 1 }));
    await service.take(id, 'token', second);
    expect(await database.get(id)).toEqual(row);
    expect(await database.events.since(clientId, 0)).toEqual(before);
  });

  it('takes many at once, and keeps the newest', async () => {
    const { id, clientId } = await provisioning();
    const stages = Array.from({ length: 8 }, (_, index) => stageOf(`s-${index}`, index));
    const reports = stages.map((_, index) => reportWith({ seq: index + 1, stages: stages.slice(0, index + 1) }));
    await Promise.all([...reports, ...reports].reverse().map((report) => service.take(id, 'token', report)));
    expect((await database.get(id)).report?.seq).toBe(8);
    const names = (await database.events.since(clientId, 0)).map(({ data }) => data?.['stage']);
    expect(names).toEqual(stages.map(({ name }) => name));
  });

  it('saves those of many servers by one statement', async () => {
    const rows = await Promise.all(Array.from({ length: 40 }, () => provisioning()));
    const asked = jest.spyOn(poolOf(database), 'query');
    await Promise.all(rows.map(({ id }) => service.take(id, 'token', reportWith())));
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockRestore();
    for (const { id, clientId } of rows) {
      expect(await database.get(id)).toMatchObject({ report: { seq: 1 }, lastEventSeq: 3 });
      expect((await database.events.since(clientId, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    }
  });

  it.each([false, true])('waits for whoever holds the row; changed meanwhile: %p', async (isChanged) => {
    const { id, clientId } = await provisioning();
    const other = await provisioning();
    const taken = await database.dataSource.transaction(async (manager) => {
      await database.provisionings.lock(id, manager);
      const waiting = service.take(id, 'token', reportWith());
      await service.take(other.id, 'token', reportWith());
      await database.untilWaiting(1);
      if (isChanged) await manager.query('UPDATE provisioning_references SET last_event_seq = 7 WHERE id = $1', [id]);
      return { waiting };
    });
    await taken.waiting;
    const before = isChanged ? 7 : 0;
    expect(await database.get(id)).toMatchObject({ report: { seq: 1 }, nudges: 0, lastEventSeq: before + 3 });
    expect((await database.events.since(clientId, 0)).map(({ seq }) => seq - before)).toEqual([1, 2, 3]);
  });

  it('tries each by itself where they cannot be saved together', async () => {
    const [bad, good] = [await provisioning(), await provisioning()];
    await database.dataSource.query(
      `CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.id = '${bad.id}' THEN RAISE EXCEPTION 'refused by the test'; END IF; RETURN NEW; END $$`,
    );
    await database.dataSource.query(
      `CREATE TRIGGER refuse_one BEFORE UPDATE ON provisioning_references FOR EACH ROW EXECUTE FUNCTION refuse_one()`,
    );
    const ended = [bad, good].map(({ id }) => codeOf(service.take(id, 'token', reportWith())));
    expect(await Promise.all(ended)).toEqual([expect.stringContaining('refused by the test'), 'taken']);
    await database.dataSource.query('DROP FUNCTION refuse_one CASCADE');
    expect((await database.get(good.id)).report?.seq).toBe(1);
    expect(database.logger.error).toHaveBeenCalledWith(expect.objectContaining({ reports: 2 }), expect.any(String));
  });

  it('lets a server be looked at soon that says that a phase may be over', async () => {
    const later = new Date(Date.now() + 5_000);
    const [over, going] = [await provisioning({ healthDueAt: later }), await provisioning({ healthDueAt: later })];
    await service.take(over.id, 'token', reportWith({ stages: [stageOf('proxy', 0, 1)] }));
    await service.take(going.id, 'token', reportWith({ stages: [stageOf('proxy', 0)] }));
    expect((await database.get(over.id)).healthDueAt?.getTime()).toBeLessThan(later.getTime());
    expect((await database.get(going.id)).healthDueAt).toEqual(later);
  });

  it('wakes the step of a server that failed, before those that order one', async () => {
    const { id, nudges } = await withSecrets();
    await service.take(id, 'token', failedReport());
    expect((await database.get(id)).nudges).toBe(nudges + 1);
    const [job] = await database.dataSource.query('SELECT priority FROM graphile_worker.jobs WHERE key = $1', [id]);
    expect(job).toEqual({ priority: -10 });
  });

  it('lets a booting server be looked at, since it speaks', async () => {
    const { id } = await provisioning({ phase: 'booting' });
    await service.take(id, 'token', reportWith());
    const look = { key: 'observe-servers:hetzner', task: 'observe-servers' };
    expect(await database.jobs()).toEqual([look]);
    await database.dataSource.query('DELETE FROM graphile_worker._private_jobs');
    await service.take(id, 'token', reportWith({ seq: 2 }));
    expect(await database.jobs()).toEqual([]);
  });

  it('refuses strangers and the dead alike', async () => {
    const { id } = await provisioning();
    const other = await provisioning({ callbackTokenHash: tokenHash('other token') });
    const ended = await provisioning({ phase: 'ready', callbackTokenHash: null });
    const unknown = '00000000-0000-4000-8000-00000000dead';
    for (const [target, token] of [
      [id, 'wrong'],
      [other.id, 'token'],
      [ended.id, 'token'],
      [ended.id, ''],
      [unknown, 'token'],
    ] as const) {
      expect(await codeOf(service.take(target, token, reportWith()))).toBe('unauthorized');
    }
    expect((await database.get(id)).report).toBeNull();
  });

  it('refuses what is no report, and too many', async () => {
    const { id } = await provisioning();
    expect(await codeOf(service.take(id, 'token', { version: 1 }))).toBe('validation-failed');
    const codes = await Promise.all(Array.from({ length: 31 }, () => codeOf(service.take(id, 'token', reportWith()))));
    expect(codes.filter((code) => code === 'rate-limited')).toHaveLength(2);
  });

  it("keeps a failure's last lines, without this provisioning's secrets", async () => {
    const seen = await withSecrets();
    const report = failedReport();
    await service.take(seen.id, 'token', {
      ...report,
      error: { ...report.error, logTail: ['cloning with the-git-token'] },
    });
    const log = (await database.events.since(seen.clientId, 0)).at(-1);
    expect(log).toMatchObject({ type: 'log', data: { stage: 'docker', log: 'cloning with [secret]' } });
    expect(JSON.stringify(await database.get(seen.id))).not.toContain('the-git-token');
  });

  it.each(['\ud83d', '\ude00a', 'a\0b', `${'x'.repeat(499)}😀`, '\u202e\ufeff\uffff', "'; DROP TABLE clients; --"])(
    'saves whatever a failure says, such as %j',
    async (text) => {
      const { id, clientId } = await withSecrets();
      const { error, ...report } = failedReport();
      await service.take(id, 'token', { ...report, error: { ...error, cause: text, logTail: [text] } });
      expect((await database.get(id)).report?.error?.logTail).toHaveLength(1);
      expect((await database.events.since(clientId, 0)).at(-1)).toMatchObject({ type: 'log' });
    },
  );
});
