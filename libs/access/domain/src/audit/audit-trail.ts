import type { Logger } from '@agent-controller/kernel';
import type { AuditTrailRepository, NewAuditEntry } from './audit-trail.repository';

/** A database that does not answer must not hold an answer back for longer. */
const PATIENCE_MS = 2_000;

/** Writes the audit trail. What cannot be written goes to the log with all it has, and fails nobody's request. */
export class AuditTrail {
  constructor(
    private readonly repository: Pick<AuditTrailRepository, 'append'>,
    private readonly logger: Logger,
  ) {}

  async note(entry: NewAuditEntry): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the database does not answer')), PATIENCE_MS);
    });
    try {
      await Promise.race([this.repository.append(entry), late]);
    } catch (error) {
      this.logger.error({ entry, reason: (error as Error).message }, 'the audit trail could not be written');
    } finally {
      clearTimeout(timer);
    }
  }
}
