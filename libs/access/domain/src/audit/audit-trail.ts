import type { Logger } from '@agent-controller/kernel';
import type { AuditTrailRepository, NewAuditEntry } from './audit-trail.repository';

/** A database that does not answer must not hold an answer back for longer; twice that when it was being asked already. */
const PATIENCE_MS = 2_000;

/** Writes the audit trail. What cannot be written goes to the log with all it has, and fails nobody's request. */
export class AuditTrail {
  readonly #waiting: NewAuditEntry[] = [];
  #last: Promise<void> = Promise.resolve();
  #next?: Promise<void>;

  constructor(
    private readonly repository: Pick<AuditTrailRepository, 'append'>,
    private readonly logger: Logger,
  ) {}

  /** Written when it resolves; entries that come while others are being written go together. */
  async note(entry: NewAuditEntry): Promise<void> {
    this.#waiting.push(entry);
    this.#next ??= this.#last.then(() => this.writeNext());
    await this.#next;
  }

  private writeNext(): Promise<void> {
    this.#next = undefined;
    this.#last = this.write(this.#waiting.splice(0));
    return this.#last;
  }

  private async write(entries: readonly NewAuditEntry[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the database does not answer')), PATIENCE_MS);
    });
    try {
      await Promise.race([this.repository.append(entries), late]);
    } catch (error) {
      const reason = (error as Error).message;
      for (const entry of entries) this.logger.error({ entry, reason }, 'the audit trail could not be written');
    } finally {
      clearTimeout(timer);
    }
  }
}
