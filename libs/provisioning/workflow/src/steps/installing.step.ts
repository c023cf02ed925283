import { Injectable } from '@nestjs/common';
import { installationFailure, lastWords } from '../reports/report-news';
import { ReportReader } from '../reports/report-reader';
import type { ServerReport } from '../reports/server-report';
import { advance, fail, wait, type AdvanceResult, type StepContext, type StepResult } from './step';

// The watch wakes this step when the server has something new to say; this is only in case it does not.
const FALLBACK_MS = 25_000;

/** The end of the installation, as the proxy answers. @param news what it said that was not known */
export function installedResult(news?: ServerReport): AdvanceResult {
  return advance('starting', { patch: { lastSeen: null }, ...(news ? { report: news } : {}) });
}

/** Waits until the server's proxy answers with the key that was made for it, or the server says that it failed. */
@Injectable()
export class InstallingStep {
  constructor(private readonly reports: ReportReader) {}

  async run(context: StepContext): Promise<StepResult> {
    const { reference } = context;
    const reported = installationFailure(reference.report);
    if (reported) return fail(reported);
    const { silence, report, news } = await this.reports.read(context);
    // Where the proxy never ran, the server itself answers in its place.
    const failure = installationFailure(report);
    if (failure) return fail(failure, { report: news });
    if (silence === null) return installedResult(news);
    return wait(FALLBACK_MS, { patch: { lastSeen: lastWords(report, silence) } });
  }
}
