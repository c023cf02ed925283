import { ClientRepository } from '@agent-controller/clients';
import { AppError, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { EventLog } from '../event-log';
import { enqueueObservation, enqueueStep } from '../jobs/job-queue';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository } from '../provisioning.repository';
import { CLOCK } from '../tokens';
import { CallbackLimiter } from './callback-limiter';
import { tokenHash } from './callback-tokens';
import { redacted } from './redaction';
import { reportEvents } from './report-news';
import { isNewer, parseServerReport, type ServerReport } from './server-report';

/** Takes what servers report by themselves. Each report is whole, so late, lost and repeated ones do no harm. */
@Injectable()
export class CallbackService {
  readonly #limiter = new CallbackLimiter();

  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly events: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws AppError `unauthorized` for a token that is unknown or dead, `rate-limited`, or `validation-failed` */
  async take(id: string, token: string, body: unknown): Promise<void> {
    const retryAfterSeconds = this.#limiter.take(id, this.clock.now().getTime());
    if (retryAfterSeconds !== null) {
      throw new AppError('rate-limited', 'Too many reports of this server.', { retryAfterSeconds });
    }
    const reference = await this.provisionings.find(id);
    if (!isToken(token, reference?.callbackTokenHash ?? null)) throw deadToken();
    const report = parseServerReport(body);
    if (!report) {
      throw new AppError('validation-failed', 'This is no report of a server.', {
        errors: [{ field: 'body', message: 'must be the status document of version 1' }],
      });
    }
    await this.save(id, token, report);
  }

  private async save(id: string, token: string, report: ServerReport): Promise<void> {
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(id, manager);
      // Meanwhile the provisioning may have ended, or begun anew.
      if (!row || !isToken(token, row.callbackTokenHash)) throw deadToken();
      if (!isNewer(report, row.report)) return;
      const client = await this.clients.get(row.clientId, manager);
      const clean = redacted(
        report,
        this.provisionings.openSecrets(row),
        client && this.clients.openCredentials(client),
      );
      await manager.update(ProvisioningReference, { id }, { report: clean });
      await this.events.append(manager, row, reportEvents(clean, row.report), this.clock.now());
      // A server that speaks runs: the provider will say so now.
      if (row.phase === 'booting') return enqueueObservation(manager, row.providerType, 0);
      await this.provisionings.nudge(id, manager);
      await enqueueStep(manager, id);
    });
  }
}

function isToken(token: string, hash: string | null): boolean {
  const given = Buffer.from(tokenHash(token));
  const expected = Buffer.from(hash ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** One answer for all: whether a provisioning exists is nobody's business. */
function deadToken(): AppError {
  return new AppError('unauthorized', 'No server may report with this token, or none may any more.');
}
