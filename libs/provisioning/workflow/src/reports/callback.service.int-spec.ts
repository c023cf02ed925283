import { AppError } from '@agent-controller/kernel';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { failedReport, reportWith, stageOf } from '../testing/server-report.fixture';
import { WorkflowDatabase } from '../testing/workflow-database';
import { CallbackService } from './callback.service';
import { tokenHash } from './callback-tokens';
import { ReportRedactor } from './report-redactor';

describe('CallbackService', () => {
  let database: WorkflowDatabase;
  let service: CallbackService;
  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  beforeEach(() => {
    const redactor = new ReportRedactor(database.provisionings, database.clients);
    const clock = { now: () => new Date('2026-11-25T12:00:00Z') };
    service = new CallbackService(database.provisionings, redactor, database.events, clock);
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

  it('saves, logs, and wakes the step; late and repeated reports change nothing', async () => {
    const { id, clientId, nudges, version } = await provisioning();
    const second = reportWith({ seq: 2, stages: [stageOf('boot', 0, 20), stageOf('docker', 20, 30)] });
    await service.take(id, 'token', second);
    const row = await database.get(id);
    expect(row).toMatchObject({ report: second, nudges: nudges + 1, version });
    expect(await database.jobs()).toContainEqual({ key: id, task: 'provisioning-step' });
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

  it('lets a booting server be looked at, since it speaks', async () => {
    const { id } = await provisioning({ phase: 'booting' });
    await service.take(id, 'token', reportWith());
    expect(await database.jobs()).toContainEqual({ key: 'observe-servers:hetzner', task: 'observe-servers' });
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
