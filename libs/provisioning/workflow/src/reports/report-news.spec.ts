import { failedReport, reportWith, stageOf } from '../testing/server-report.fixture';
import { hasBegun, installationFailure, isWorthALook, reportEvents, reportSummary } from './report-news';
import { isNewer } from './server-report';

const messages = (...args: Parameters<typeof reportEvents>) => reportEvents(...args).map(({ message }) => message);

describe('reportEvents', () => {
  it('tells each start and end once, in their order', () => {
    const first = reportWith();
    expect(messages(first, null)).toEqual([
      'The server boots',
      'The server booted after 20.0 s',
      'Docker is being installed',
    ]);
    const stages = [
      stageOf('boot', 0, 20),
      stageOf('docker', 20, 31.5),
      stageOf('postgres', 32),
      stageOf('proxy', 31.5, 33),
    ];
    const second = reportWith({ seq: 5, stages });
    expect(messages(second, first)).toEqual([
      'Docker runs after 11.5 s',
      'The proxy is being started',
      'PostgreSQL starts',
      'The proxy runs after 1.5 s',
    ]);
    expect(messages(second, second)).toEqual([]);
  });

  it('keeps figures for programs', () => {
    const [, end] = reportEvents(reportWith({ stages: [stageOf('boot', 0, 2)] }), null);
    expect(end).toEqual({
      type: 'stage',
      message: 'The server booted after 2.0 s',
      data: { stage: 'boot', state: 'ended', at: '2026-01-02T00:00:02.000Z', seconds: 2 },
    });
  });

  it('has the last lines of a failure, once', () => {
    const failed = failedReport();
    expect(reportEvents(failed, reportWith())).toEqual([
      {
        type: 'log',
        message: "The last 2 lines of the server's log",
        data: { stage: 'docker', line: 7, exitCode: 100, log: 'E: no such package\nit ends' },
      },
    ]);
    expect(reportEvents({ ...failed, seq: 10 }, failed)).toEqual([]);
  });

  it('names a stage that it does not know as the server does', () => {
    expect(messages(reportWith({ stages: [stageOf('later-thing', 0)] }), null)).toEqual([
      'The server is at "later-thing"',
    ]);
  });
});

describe('what a report means', () => {
  it('is a failure with step and cause only when the server says so', () => {
    expect(installationFailure(null)).toBeNull();
    expect(installationFailure(reportWith())).toBeNull();
    expect(installationFailure(failedReport())).toMatchObject({
      code: 'installation-failed',
      message: 'The set-up of the server failed at the step docker: Docker could not be installed',
      action: expect.stringMatching(/Retry.*Or delete/),
    });
  });

  it('is where the server is, and since when', () => {
    expect(reportSummary(reportWith())).toBe('Docker is being installed, since 2026-01-02T00:00:20.000Z');
    expect([hasBegun(reportWith(), 'docker'), hasBegun(reportWith(), 'postgres')]).toEqual([true, false]);
  });

  it('is news by its number only', () => {
    expect(isNewer(reportWith({ seq: 1 }), null)).toBe(true);
    expect(isNewer(reportWith({ seq: 2 }), reportWith({ seq: 2 }))).toBe(false);
    expect(isNewer(reportWith({ seq: 1 }), reportWith({ seq: 2 }))).toBe(false);
    expect(isNewer(reportWith({ seq: 3 }), reportWith({ seq: 2 }))).toBe(true);
  });

  const after = (...parts: string[]) => reportWith({ stages: parts.map((name, n) => stageOf(name, n, n + 1)) });
  const finished = reportWith({ state: 'finished' });
  it.each([
    ['the proxy runs', 'installing', after('docker', 'proxy'), after('docker'), true],
    ['it is the first that is known', 'installing', after('docker', 'proxy'), null, true],
    ['that was known', 'installing', after('proxy', 'postgres'), after('proxy'), false],
    ['it is not enough', 'starting', after('docker', 'proxy'), after('docker'), false],
    ['the agent-manager answers', 'starting', after('proxy', 'agent-manager'), after('proxy'), true],
    ['it is only begun', 'starting', reportWith({ stages: [stageOf('agent-manager', 1)] }), null, false],
    ['the set-up is over', 'starting', finished, after('proxy'), true],
    ['it boots', 'booting', after('docker', 'proxy'), null, false],
    ['nobody waits', 'ready', finished, null, false],
  ] as const)('is worth a look or not: %s while %s', (_name, phase, report, known, isWorth) => {
    expect(isWorthALook(phase, report, known)).toBe(isWorth);
  });
});
