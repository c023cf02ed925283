import type { ProviderType } from '@agent-controller/cloud-port';
import { inSpan, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { TaskList } from 'graphile-worker';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentWatch } from '../agent-watch/agent-watch';
import { HealthKeeper } from '../health/health-keeper';
import { Reconciler } from '../reconciler';
import { ObservationShift } from '../observation/observation-shift';
import { StepRunner } from '../step-runner.service';
import { Sweeper } from '../sweep/sweeper';
import { LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { CallersFirst } from './callers-first';
import { orHandBack } from './hand-back';
import { HEALTH_TASK, isUrgent, OBSERVE_TASK, STEP_TASK, SWEEP_TASK, WATCH_TASK } from './job-queue';
import { JobWorker } from './job-worker';
import { measuredTask } from './measured-task';

type StepJob = { id: string; provider?: undefined };
type LookJob = { provider: ProviderType };

const RESTART_MS = { first: 1_000, last: 15_000 };
/** Jobs are handed back after 4 s; then their locks are given up. Without a database that cannot be waited for. */
const END_WITHIN_MS = 6_000;

/** Runs this controller's share of the jobs, and goes on when its worker ends or the database was away. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #stop = new AbortController();
  #worker?: JobWorker;
  #isReplacing = false;

  constructor(
    private readonly steps: StepRunner,
    private readonly observation: ObservationShift,
    private readonly watch: AgentWatch,
    private readonly keeper: HealthKeeper,
    private readonly sweeper: Sweeper,
    private readonly reconciler: Reconciler,
    private readonly callersFirst: CallersFirst,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await Promise.race([this.end(), sleep(END_WITHIN_MS, undefined, { ref: false })]);
  }

  private async end(): Promise<void> {
    await this.#worker?.end();
    // Last, so that nobody takes this controller for dead while its jobs end.
    await this.reconciler.stop();
  }

  private async start(): Promise<void> {
    const worker = await JobWorker.start(this.tasks(), this.options, this.logger);
    this.#worker = worker;
    this.logger.info({ worker: worker.id }, 'the job worker runs');
    this.reconciler.start(worker.id, () => void this.replace('the database was away'));
    void worker.ended.then((reason) => (worker === this.#worker ? this.replace(reason) : undefined));
  }

  /** A worker that ended, or whose retries of what failed meanwhile would take minutes. */
  private async replace(reason: string): Promise<void> {
    if (this.#isReplacing || this.#stop.signal.aborted) return;
    this.#isReplacing = true;
    this.logger.warn({ reason }, 'the job worker ended; another one is started');
    void this.#worker?.end();
    this.#worker = undefined;
    const { first, last } = RESTART_MS;
    for (let delayMs = first; !this.#worker && !this.#stop.signal.aborted; delayMs = Math.min(delayMs * 2, last)) {
      await this.start().catch((error: unknown) =>
        this.logger.error({ err: error }, 'the job worker does not start; it is tried again'),
      );
      if (!this.#worker) await sleep(delayMs, undefined, { ref: false });
    }
    this.#isReplacing = false;
  }

  private tasks(): TaskList {
    const { signal } = this.#stop;
    // Each step that runs listens to it.
    setMaxListeners(0, signal);
    const apart = (task: string, work: () => Promise<void>) =>
      inSpan(`job ${task}`, { parent: null }, () => orHandBack(work(), signal));
    return {
      [STEP_TASK]: measuredTask<StepJob>(STEP_TASK, ({ id }, priority) => {
        const step = () => this.steps.run(id, signal);
        return isUrgent(priority) ? step() : this.callersFirst.step(step);
      }),
      [OBSERVE_TASK]: measuredTask<LookJob>(OBSERVE_TASK, ({ provider }) =>
        orHandBack(this.observation.run(provider, signal), signal),
      ),
      [SWEEP_TASK]: measuredTask<LookJob>(SWEEP_TASK, ({ provider }) =>
        apart(SWEEP_TASK, () => this.sweeper.run(provider, signal)),
      ),
      [WATCH_TASK]: measuredTask(WATCH_TASK, () => orHandBack(this.watch.run(signal), signal)),
      [HEALTH_TASK]: measuredTask(HEALTH_TASK, () => apart(HEALTH_TASK, () => this.keeper.run(signal))),
    };
  }
}
