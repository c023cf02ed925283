import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { makeWorkerUtils, type WorkerUtils } from 'graphile-worker';
import { Housekeeping } from './housekeeping';
import { LOGGER } from './tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

const COLLECT_GARBAGE_EVERY_MS = 3_600_000;

/**
 * Makes sure that nothing depends on a job: finds work that nobody does and wakes it, frees what dead controllers held,
 * and wipes what may not be kept. Every controller runs it; more than one does no harm.
 */
@Injectable()
export class Reconciler {
  #timer?: NodeJS.Timeout;
  #round: Promise<void> = Promise.resolve();
  #rounds = 0;
  #utils?: Promise<WorkerUtils>;
  #workerId = '';

  constructor(
    private readonly housekeeping: Housekeeping,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param workerId what this controller's jobs are locked as */
  start(workerId: string): void {
    this.#workerId = workerId;
    this.#timer = setInterval(() => this.next(), this.options.heartbeatMs);
    this.next();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
    if (this.#workerId) await this.housekeeping.forget(this.#workerId).catch(() => undefined);
    await (await this.#utils)?.release();
  }

  /** Rounds never overlap. */
  private next(): void {
    this.#round = this.#round
      .then(() => this.round())
      .catch((error: unknown) => this.logger.error({ err: error }, 'reconciling failed; it is tried again'));
  }

  private async round(): Promise<void> {
    await this.housekeeping.heartbeat(this.#workerId);
    const dead = await this.housekeeping.deadWorkers();
    if (dead.length > 0) {
      const utils = await this.utils();
      await utils.forceUnlockWorkers(dead);
      await this.housekeeping.forget(...dead);
      this.logger.warn({ workers: dead }, 'freed the jobs of controllers that are gone');
    }
    const woken = await this.housekeeping.wakeForgotten();
    if (woken > 0) this.logger.info({ woken }, 'woke provisionings that no job waited for');
    await this.housekeeping.cleanUp();
    if (this.#rounds++ % Math.ceil(COLLECT_GARBAGE_EVERY_MS / this.options.heartbeatMs) === 0)
      await (await this.utils()).cleanup({ tasks: ['GC_JOB_QUEUES'] });
  }

  private utils(): Promise<WorkerUtils> {
    this.#utils ??= makeWorkerUtils({ connectionString: this.options.directDatabaseUrl, maxPoolSize: 1 });
    return this.#utils;
  }
}
