import type { AgentCredentials, ClientRepository } from '@agent-controller/clients';
import type { ReportReader, ReportReading } from '../reports/report-reader';
import { FakeAgentHealth } from '../testing/fake-agent-health';
import { failedReport, reportWith, stageOf } from '../testing/server-report.fixture';
import { clientWith, contextWith } from '../testing/step-context.fixture';
import { StartingStep } from './starting.step';

describe('StartingStep', () => {
  let health: FakeAgentHealth;
  let credentials: AgentCredentials | null;
  let reading: ReportReading;
  const clients = { openCredentials: () => credentials } as unknown as ClientRepository;

  beforeEach(() => {
    health = new FakeAgentHealth();
    credentials = { type: 'api_key', apiKey: 'key' };
    reading = { silence: null, report: null };
  });

  const run = (endpoint: string | null = 'https://192.0.2.7:3000') => {
    const reports = { read: async () => reading } as unknown as ReportReader;
    const context = contextWith({ phase: 'starting' }, { client: clientWith({ endpoint }) });
    return new StartingStep(health, clients, reports).run(context);
  };

  it('is the end when the agent-manager accepts us: secrets are wiped, its configuration is kept', async () => {
    expect(await run()).toEqual({
      kind: 'advance',
      phase: 'ready',
      patch: { sealedSecrets: null, warnings: [], lastSeen: null },
      clientPatch: { agentConfig: { gitRepositoryUrl: null, agentTypes: ['cursor'] } },
      events: [],
    });
  });

  it('keeps a warning, and logs it in words', async () => {
    health.answer = { state: 'ready', config: null, warnings: ['credentials-unverified'] };
    expect(await run()).toMatchObject({
      phase: 'ready',
      patch: { warnings: ['credentials-unverified'] },
      events: [
        { type: 'note', message: expect.stringContaining('not verified'), data: { warning: 'credentials-unverified' } },
      ],
    });
  });

  it('waits while it is not ready, and remembers why', async () => {
    health.answer = { state: 'not-ready', reason: '/api/health answers 502' };
    expect(await run()).toMatchObject({ kind: 'wait', patch: { lastSeen: '/api/health answers 502' } });
  });

  it('does not ask the agent-manager before its server has started it', async () => {
    const news = reportWith({ stages: [stageOf('postgres', 3)] });
    reading = { silence: null, report: news, news };
    expect(await run()).toMatchObject({
      kind: 'wait',
      patch: { lastSeen: 'The server says: PostgreSQL starts, since 2026-01-02T00:00:03.000Z' },
      report: news,
    });
    expect(health.targets).toEqual([]);
    reading.report = reportWith({ stages: [stageOf('postgres', 3, 4), stageOf('agent-manager', 4)] });
    expect(await run()).toMatchObject({ phase: 'ready' });
  });

  it('waits when the proxy falls silent again', async () => {
    reading = { silence: 'ECONNREFUSED', report: null };
    expect(await run()).toMatchObject({ kind: 'wait', patch: { lastSeen: 'ECONNREFUSED' } });
    expect(health.targets).toEqual([]);
  });

  it('fails by what the server says, unless the agent-manager works all the same', async () => {
    const news = failedReport();
    reading = { silence: null, report: news, news };
    health.answer = { state: 'not-ready', reason: '/api/health answers 502' };
    expect(await run()).toMatchObject({ kind: 'fail', failure: { code: 'installation-failed' }, report: news });
    reading = { silence: 'ECONNREFUSED', report: news };
    expect(await run()).toMatchObject({ kind: 'fail', failure: { code: 'installation-failed' } });
    reading = { silence: null, report: news };
    health.answer = { state: 'ready', config: null, warnings: [] };
    expect(await run()).toMatchObject({ kind: 'advance', phase: 'ready' });
  });

  it('cannot do without endpoint and credentials', async () => {
    await expect(run(null)).rejects.toThrow('no endpoint');
    credentials = null;
    await expect(run()).rejects.toThrow('no credentials');
  });
});
