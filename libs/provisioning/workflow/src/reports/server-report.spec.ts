import { failedReport, reportWith, stageOf } from '../testing/server-report.fixture';
import { parseServerReport } from './server-report';

describe('parseServerReport', () => {
  it.each([reportWith(), failedReport(), reportWith({ state: 'finished', stages: [] })])(
    'takes a report %#',
    (report) => {
      expect(parseServerReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
    },
  );

  it('leaves out what it does not know', () => {
    expect(parseServerReport({ ...reportWith(), further: 1 })).toEqual(reportWith());
  });

  it.each([
    ['nothing', undefined],
    ['text', 'running'],
    ['another version', { ...reportWith(), version: 2 }],
    ['no number', { ...reportWith(), seq: '3' }],
    ['a number below 1', reportWith({ seq: 0 })],
    ['a number that fits into no integer', reportWith({ seq: 2_147_483_648 })],
    ['the largest number', reportWith({ seq: Number.MAX_SAFE_INTEGER })],
    ['a strange name', reportWith({ stage: 'Docker <b>' })],
    ['no time', reportWith({ since: 'yesterday' })],
    ['too many stages', reportWith({ stages: Array(31).fill(stageOf('boot', 0)) })],
    ['a failure without an error', reportWith({ state: 'failed' })],
    ['an error without a failure', failedReport({ state: 'running' })],
  ])('refuses %s', (_what, value) => {
    expect(parseServerReport(value)).toBeNull();
  });

  it('makes text printable, and cuts it', () => {
    const { error } = failedReport();
    const report = failedReport({
      error: { ...error!, cause: `a\n\u001b[31mb\u0000${'x'.repeat(2_000)}`, logTail: [' a\tb '] },
    });
    const parsed = parseServerReport(report);
    expect(parsed?.error?.cause).toMatch(/^a \[31mb x+$/);
    expect(parsed?.error?.cause).toHaveLength(1_000);
    expect(parsed?.error?.logTail).toEqual(['a b']);
  });

  it('leaves no half of a character, nor cuts one in half', () => {
    const { error } = failedReport();
    const logTail = [`${'x'.repeat(499)}😀`, '\ude00\ud83d', 'a😀b'];
    const parsed = parseServerReport(failedReport({ error: { ...error!, cause: 'a\ud83d', logTail } }));
    expect(parsed?.error?.cause).toBe('a\ufffd');
    expect(parsed?.error?.logTail).toEqual([`${'x'.repeat(499)}\ufffd`, '\ufffd\ufffd', 'a😀b']);
  });
});
