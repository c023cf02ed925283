import { createPool } from '@agent-controller/database';
import type { Logger } from '@agent-controller/kernel';
import { EventEmitter } from 'node:events';
import { Logger as GraphileLogger, run, type Runner, type TaskList, type WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import type { WorkflowOptions } from '../workflow.options';

/** So long an end of a job may wait for others, that all become one statement. The next step of its row waits as well. */
const BATCH_MS = 10;

/** One graphile-worker with connections of its own. It ends once, and is then replaced. */
export class JobWorker {
  /** Resolves with the reason when it ended, by itself or by `end`. */
  readonly ended: Promise<string>;
  #end?: Promise<void>;

  private constructor(
    /** What its jobs are locked as. */
    readonly id: string,
    private readonly runner: Runner,
    private readonly pool: Pool,
  ) {
    this.ended = runner.promise.then(
      () => 'it ended',
      (error: unknown) => String(error),
    );
  }

  /** @throws Error when the database does not answer */
  static async start(taskList: TaskList, options: WorkflowOptions, logger: Logger): Promise<JobWorker> {
    const { directDatabaseUrl: url, jobConcurrency: size } = options;
    const onError = (err: Error) => logger.warn({ err }, 'a connection to the database broke');
    const pool = createPool({ url, size, applicationName: 'jobs', onError, byIndexes: true });
    const events = new EventEmitter() as WorkerEvents;
    let id = '';
    events.on('pool:create', ({ workerPool }) => (id = workerPool.id));
    const worker = {
      concurrentJobs: size,
      localQueue: { size },
      pollInterval: 1_000,
      // In batches, at least of one: what a lost connection spoils ends the worker then, which is replaced. Otherwise it would
      // be a rejection that nobody handles, and end the process.
      completeJobBatchDelay: BATCH_MS,
      failJobBatchDelay: BATCH_MS,
    };
    try {
      const logs = graphileLogger(logger);
      const runner = await run({
        pgPool: pool,
        noHandleSignals: true,
        taskList,
        events,
        logger: logs,
        preset: { worker },
      });
      return new JobWorker(id, runner, pool);
    } catch (error) {
      // Not waited for: a connection that never answers must not hold up the next try.
      void pool.end().catch(() => undefined);
      throw error;
    }
  }

  /** Takes no more jobs, and waits for those that run. */
  end(): Promise<void> {
    this.#end ??= this.runner
      .stop()
      // It may have ended by itself.
      .catch(() => undefined)
      .then(() => this.pool.end());
    return this.#end;
  }
}

/** The worker's own words are for debugging; its errors are ours. */
function graphileLogger(logger: Logger): GraphileLogger {
  return new GraphileLogger(() => (level, message, meta) => {
    if (level === 'error') logger.error({ meta }, message);
    else if (level === 'warning') logger.warn({ meta }, message);
    else logger.debug({}, message);
  });
}
