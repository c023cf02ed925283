import type { Clock, Logger } from '@agent-controller/kernel';
import type { AuditTrailRepository } from './audit-trail.repository';

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;
const BATCH = 1_000;

/** Ends entries of the audit trail by their age, if that is wanted: by themselves they stay for ever. */
export class AuditRetention {
  #timer?: NodeJS.Timeout;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    private readonly repository: Pick<AuditTrailRepository, 'removeBefore'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** Null: for ever. */
    private readonly days: number | null,
  ) {}

  /** Once an hour. */
  start(): void {
    if (this.days === null) return;
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.enforce());
    }, EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** In batches, until none is old any more. What fails is tried again with the next hour. */
  async enforce(): Promise<void> {
    if (this.days === null) return;
    const before = new Date(this.clock.now().getTime() - this.days * DAY_MS);
    try {
      let removed = 0;
      for (let batch = BATCH; batch > 0 && !this.#isStopped; removed += batch) {
        batch = await this.repository.removeBefore(before, BATCH);
      }
      if (removed > 0) this.logger.info({ removed, before }, 'removed old entries of the audit trail');
    } catch (error) {
      this.logger.warn({ reason: (error as Error).message }, 'old entries of the audit trail could not be removed');
    }
  }
}
