import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { createPool } from '@agent-controller/database';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { makeWorkerUtils, type WorkerUtils } from 'graphile-worker';
import type { Pool } from 'pg';
import { Housekeeping } from './housekeeping';
import { LOGGER } from './tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** In rounds, one for each heartbeat: heartbeats must be frequent, the rest need not. An idle controller asks about once a second. */
const WAKE_EVERY = 2;
const CLEAN_UP_EVERY = 12;
const COLLECT_GARBAGE_EVERY = 60;
/**
 * Heartbeats in a row before this controller judges others. After trouble with the database all of them are late: those
 * that live have been heard by then.
 */
const BEATS_BEFORE_JUDGING = 3;
/** Rounds that failed in a row, after which the job worker had better start anew. */
const LONG_TROUBLE = 2;

/**
 * Makes sure that nothing depends on a job: finds work that nobody does and wakes it, frees what dead controllers held,
 * and wipes what may not be kept. Every controller runs it; more than one does no harm.
 */
@Injectable()
export class Reconciler {
  #timer?: NodeJS.Timeout;
  #round: Promise<void> = Promise.resolve();
  #rounds = 0;
  #beats = 0;
  #failures = 0;
  /** There was more to clean up than a round has time for. */
  #isBehind = false;
  #utils?: Promise<WorkerUtils>;
  #pool?: Pool;
  #workerId = '';
  /** Earlier workers of this process: what they still hold is free at once. */
  readonly #former: string[] = [];
  #onReturn: () => void = () => undefined;

  constructor(
    private readonly housekeeping: Housekeeping,
    private readonly providers: CloudProviderRegistry,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * May be called again when the job worker was replaced.
   * @param workerId what this controller's jobs are locked as
   * @param onReturn called when the database is back after it was away for some seconds
   */
  start(workerId: string, onReturn: () => void): void {
    if (this.#workerId) this.#former.push(this.#workerId);
    this.#workerId = workerId;
    this.#onReturn = onReturn;
    this.#timer ??= setInterval(() => this.next(), this.options.heartbeatMs);
    this.next();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
    if (this.#workerId) await this.housekeeping.forget(this.#workerId).catch(() => undefined);
    await (await this.#utils)?.release();
    await this.#pool?.end();
  }

  /** Rounds never overlap. */
  private next(): void {
    this.#round = this.#round.then(() => this.round()).catch((error: unknown) => this.failed(error));
  }

  private failed(error: unknown): void {
    this.#beats = 0;
    this.#failures += 1;
    this.logger.error({ err: error }, 'reconciling failed; it is tried again');
  }

  private async round(): Promise<void> {
    await this.housekeeping.heartbeat(this.#workerId);
    this.#beats += 1;
    if (this.#failures >= LONG_TROUBLE) this.#onReturn();
    this.#failures = 0;
    await this.free();
    const round = this.#rounds++;
    if (round % WAKE_EVERY === 0) {
      const woken = await this.housekeeping.wakeForgotten();
      if (woken > 0) this.logger.info({ woken }, 'woke provisionings that no job waited for');
      await this.housekeeping.wakeSweeps(this.providers.all().map(({ type }) => type));
    }
    if (round % CLEAN_UP_EVERY === 0 || this.#isBehind) this.#isBehind = await this.housekeeping.cleanUp();
    if (round % COLLECT_GARBAGE_EVERY === 0) await (await this.utils()).cleanup({ tasks: ['GC_JOB_QUEUES'] });
  }

  private async free(): Promise<void> {
    const dead = this.#beats >= BEATS_BEFORE_JUDGING ? await this.housekeeping.deadWorkers() : [];
    const gone = [...this.#former, ...dead];
    if (gone.length === 0) return;
    await this.housekeeping.free(gone);
    this.#former.length = 0;
    if (dead.length > 0) this.logger.warn({ workers: dead }, 'freed the jobs of controllers that are gone');
  }

  private utils(): Promise<WorkerUtils> {
    const onError = (err: Error) => this.logger.warn({ err }, 'a connection to the database broke');
    const { directDatabaseUrl: url } = this.options;
    this.#pool ??= createPool({ url, size: 1, applicationName: 'reconciler', onError });
    this.#utils ??= makeWorkerUtils({ pgPool: this.#pool }).catch((error: unknown) => {
      this.#utils = undefined;
      throw error;
    });
    return this.#utils;
  }
}
