import { AppError, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { EventLog } from '../event-log';
import { awaitedStepJob, enqueueJobs, enqueueObservation } from '../jobs/job-queue';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository } from '../provisioning.repository';
import { CLOCK } from '../tokens';
import { CallbackLimiter } from './callback-limiter';
import { mayReport } from './callback-tokens';
import { hasItsFiles, isWorthALook, reportEvents } from './report-news';
import { ReportCollector, type ArrivedReport, type Collected } from './report-collector';
import { ReportRedactor } from './report-redactor';
import { isNewer, parseServerReport, type ServerReport } from './server-report';

/** A look at the server holds its row for some milliseconds. */
const TOUCHED_AGAIN = 2;

/** Takes what servers report by themselves. Each report is whole, so late, lost and repeated ones do no harm. */
@Injectable()
export class CallbackService {
  readonly #limiter = new CallbackLimiter();

  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly collector: ReportCollector,
    private readonly redactor: ReportRedactor,
    private readonly events: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws AppError `unauthorized` for a token that is unknown or dead, `rate-limited`, or `validation-failed` */
  async take(id: string, token: string, body: unknown): Promise<void> {
    const retryAfterSeconds = this.#limiter.take(id, token, this.clock.now().getTime());
    if (retryAfterSeconds !== null) {
      throw new AppError('rate-limited', 'Too many reports of this server.', { retryAfterSeconds });
    }
    const report = parseServerReport(body);
    // Of a failure, which has text, the secrets must be taken out.
    const collected = report && !report.error ? await this.collect({ id: id.toLowerCase(), token, report }) : 'touched';
    if (collected === 'saved') return;
    if (collected === 'refused' || !mayReport(token, await this.provisionings.find(id))) throw deadToken();
    if (!report) {
      throw new AppError('validation-failed', 'This is no report of a server.', {
        errors: [{ field: 'body', message: 'must be the status document of version 1' }],
      });
    }
    await this.saveAlone(id, token, report);
  }

  private async collect(arrived: ArrivedReport): Promise<Collected> {
    let collected = await this.collector.save(arrived);
    for (let again = 0; collected === 'touched' && again < TOUCHED_AGAIN; again++) {
      collected = await this.collector.save(arrived);
    }
    return collected;
  }

  /** Waits for whoever holds the row. */
  private async saveAlone(id: string, token: string, report: ServerReport): Promise<void> {
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(id, manager);
      // Meanwhile the provisioning may have ended, or begun anew.
      if (!row || !mayReport(token, row)) throw deadToken();
      if (!isNewer(report, row.report)) return;
      const clean = await this.redactor.clean(report, row, manager);
      // Where its files are in use, nobody has to fetch them again.
      const ended = hasItsFiles(clean) ? { bootstrapTokenHash: null } : {};
      const due = isWorthALook(row.phase, clean, row.report)
        ? { healthDueAt: () => 'LEAST(health_due_at, now())' }
        : {};
      await manager.update(ProvisioningReference, { id }, { report: clean, ...ended, ...due });
      await this.events.append(manager, row, reportEvents(clean, row.report), this.clock.now());
      // A server that speaks runs: the provider will say so now.
      if (row.phase === 'booting') return enqueueObservation(manager, row.providerType, 0);
      if (!clean.error) return;
      await this.provisionings.nudge(id, manager);
      await enqueueJobs(manager, [awaitedStepJob(id, 0)]);
    });
  }
}

/** One answer for all: whether a provisioning exists is nobody's business. */
function deadToken(): AppError {
  return new AppError('unauthorized', 'No server may report with this token, or none may any more.');
}
