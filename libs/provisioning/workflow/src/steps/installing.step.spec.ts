import type { ReportReader, ReportReading } from '../reports/report-reader';
import { failedReport, reportWith } from '../testing/server-report.fixture';
import { contextWith } from '../testing/step-context.fixture';
import { InstallingStep } from './installing.step';

describe('InstallingStep', () => {
  const run = (reading: Partial<ReportReading>, changes: Parameters<typeof contextWith>[0] = {}) => {
    const reports = { read: async () => ({ silence: null, report: null, ...reading }) } as unknown as ReportReader;
    return new InstallingStep(reports).run(contextWith({ phase: 'installing', ...changes }));
  };

  it('goes on once the proxy answers with the pinned key, and keeps what it said', async () => {
    const report = reportWith();
    expect(await run({ report, news: report })).toMatchObject({ kind: 'advance', phase: 'starting', report });
  });

  it('waits while it does not, and remembers why and what the server reported', async () => {
    expect(await run({ silence: 'ECONNREFUSED' })).toMatchObject({ kind: 'wait', patch: { lastSeen: 'ECONNREFUSED' } });
    expect(await run({ silence: 'ECONNREFUSED', report: reportWith() })).toMatchObject({
      kind: 'wait',
      patch: { lastSeen: 'The server says: Docker is being installed, since 2026-01-02T00:00:20.000Z. ECONNREFUSED' },
    });
  });

  it('fails by what the server reported, without asking it again', async () => {
    const result = await run({ silence: 'nobody asks' }, { report: failedReport() });
    expect(result).toMatchObject({ kind: 'fail', failure: { code: 'installation-failed' } });
  });

  it('fails by what the server answers in the place of its proxy', async () => {
    const news = failedReport();
    expect(await run({ report: news, news })).toMatchObject({
      kind: 'fail',
      failure: { code: 'installation-failed', message: expect.stringContaining('step docker') },
      report: news,
    });
  });
});
