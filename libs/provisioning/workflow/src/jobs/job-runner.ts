import type { ProviderType } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { Logger as GraphileLogger, run, type Runner, type TaskList, type WorkerEvents } from 'graphile-worker';
import { HealthKeeper } from '../health/health-keeper';
import { Reconciler } from '../reconciler';
import { ServerObserver } from '../server-observer';
import { StepRunner } from '../step-runner.service';
import { Sweeper } from '../sweep/sweeper';
import { LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { HEALTH_TASK, OBSERVE_TASK, STEP_TASK, SWEEP_TASK } from './job-queue';

/** Runs this controller's share of the jobs. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #stop = new AbortController();
  #runner?: Runner;

  constructor(
    private readonly steps: StepRunner,
    private readonly observer: ServerObserver,
    private readonly keeper: HealthKeeper,
    private readonly sweeper: Sweeper,
    private readonly reconciler: Reconciler,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const events = new EventEmitter() as WorkerEvents;
    events.on('pool:create', ({ workerPool }) => this.reconciler.start(workerPool.id));
    this.#runner = await run({
      connectionString: this.options.directDatabaseUrl,
      maxPoolSize: this.options.jobConcurrency,
      noHandleSignals: true,
      taskList: this.tasks(),
      events,
      logger: this.graphileLogger(),
      preset: {
        worker: {
          concurrentJobs: this.options.jobConcurrency,
          localQueue: { size: this.options.jobConcurrency },
          pollInterval: 1_000,
        },
      },
    });
    // Ends with stop(); an error that nobody waits for would end the process.
    this.#runner.promise.catch((error: unknown) => this.logger.error({ err: error }, 'the job worker ended'));
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.reconciler.stop();
    await this.#runner?.stop();
  }

  private tasks(): TaskList {
    return {
      [STEP_TASK]: (payload) => this.steps.run((payload as { id: string }).id, this.#stop.signal),
      [OBSERVE_TASK]: (payload) => this.observer.run((payload as { provider: ProviderType }).provider),
      [SWEEP_TASK]: (payload) => this.sweeper.run((payload as { provider: ProviderType }).provider, this.#stop.signal),
      [HEALTH_TASK]: () => this.keeper.run(this.#stop.signal),
    };
  }

  /** The worker's own words are for debugging; its errors are ours. */
  private graphileLogger(): GraphileLogger {
    return new GraphileLogger(() => (level, message, meta) => {
      if (level === 'error') this.logger.error({ meta }, message);
      else if (level === 'warning') this.logger.warn({ meta }, message);
      else this.logger.debug({}, message);
    });
  }
}
