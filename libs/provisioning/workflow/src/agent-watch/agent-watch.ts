import { withTimeLimit, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { AgentHealth } from '../agent/agent-health';
import { enqueueAgentWatch } from '../jobs/job-queue';
import { pause } from '../observation/pause';
import { lastWords, mayAnswer } from '../reports/report-news';
import { isNewer, type ServerReport } from '../reports/server-report';
import { CLOCK, LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { pollDelayMs } from './poll-delay';
import { watchDelayMs } from './watch-delay';
import { WaitingAgents, type ClaimedAgent, type SettledLook } from './waiting-agents.repository';

/** A job should not last. */
export const SHIFT_MS = 20_000;
const ROUND_MS = 200;
/** While more are due than may be looked at at a time. */
const BUSY_ROUND_MS = 10;
const COUNT_EVERY = 5;
/** For a look: a server that says nothing for so long has nothing to say yet. */
const PATIENCE_MS = 2_000;

/**
 * Looks at the servers that are being installed until they have something to say, and wakes the steps of those alone: a
 * look costs a few statements for many, a step a dozen for one. Each controller may be on duty; each look is claimed first.
 */
@Injectable()
export class AgentWatch {
  #isOnDuty = false;
  #underWay = 0;
  #settled: SettledLook[] = [];

  constructor(
    private readonly rows: WaitingAgents,
    private readonly health: AgentHealth,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'agentConnections'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One shift; asks for the next one while there are servers to look at. @param wait replaced in tests */
  async run(stop: AbortSignal, wait = pause): Promise<void> {
    // A job comes with each server that begins to be installed.
    if (this.#isOnDuty) return;
    this.#isOnDuty = true;
    try {
      const ends = this.clock.now().getTime() + SHIFT_MS;
      let count = 0;
      for (let round = 0; !stop.aborted && this.clock.now().getTime() < ends; round++) {
        if (round % COUNT_EVERY === 0) count = await this.rows.count();
        if (count === 0 && this.#underWay === 0) return;
        const isFull = await this.round(count, stop).catch((error: unknown) => this.failed(error));
        await wait(isFull ? BUSY_ROUND_MS : ROUND_MS, stop);
      }
    } finally {
      this.#isOnDuty = false;
      await this.flush().catch((error: unknown) => this.failed(error));
    }
    await enqueueAgentWatch(this.rows.manager);
  }

  /** What was claimed, and not settled, is claimed again soon; the next round may go well. */
  private failed(error: unknown): false {
    this.logger.warn({ err: error }, 'looks at servers that are being installed could not be saved');
    return false;
  }

  /**
   * Half of the connections: steps, and looks at what is ready, need some as well. Slow looks hold nobody up.
   * @returns whether more may be due
   */
  private async round(count: number, stop: AbortSignal): Promise<boolean> {
    const most = Math.max(1, Math.floor(this.options.agentConnections / 2));
    const room = most - this.#underWay;
    const flushed = this.flush().catch((error: unknown) => this.failed(error));
    try {
      if (room <= 0) return true;
      const claimed = await this.rows.claim(room);
      this.#underWay += claimed.length;
      for (const agent of claimed) void this.watch(agent, count, stop);
      return claimed.length === room;
    } finally {
      await flushed;
    }
  }

  private async flush(): Promise<void> {
    await this.rows.settle(this.#settled.splice(0), this.clock.now());
  }

  private async watch(agent: ClaimedAgent, count: number, stop: AbortSignal): Promise<void> {
    const { id, phaseSince } = agent;
    const began = this.clock.now();
    try {
      const { isNews, report, silence } = await this.look(agent, withTimeLimit(PATIENCE_MS, stop));
      const now = this.clock.now();
      const nextMs = isNews ? pollDelayMs(phaseSince, now) : watchDelayMs({ count, phaseSince, began, now });
      if (!stop.aborted) this.#settled.push({ agent, nextMs, isNews, report, silence });
    } catch (error) {
      // The others must not suffer from it; its claim ends by itself.
      this.logger.error({ err: error, provisioningId: id }, 'a server could not be looked at');
    } finally {
      this.#underWay -= 1;
    }
  }

  private async look(
    agent: ClaimedAgent,
    signal: AbortSignal,
  ): Promise<Pick<SettledLook, 'isNews' | 'report' | 'silence'>> {
    const { phase, report: known, endpoint, tlsServerName, tlsSpkiSha256 } = agent;
    const nothing = { isNews: false, report: null, silence: null };
    if (!endpoint || !tlsServerName || !tlsSpkiSha256) return nothing;
    const target = { endpoint, serverName: tlsServerName, spkiSha256: tlsSpkiSha256 };
    const newer = (said: ServerReport | null) => (said && isNewer(said, known) ? said : null);
    const mayBeUp = (said: ServerReport | null) =>
      phase === 'starting' && !newer(said)?.error && mayAnswer(newer(said) ?? known);
    const answer = await this.health.look(target, signal, mayBeUp);
    if (answer.state === 'silent') return { ...nothing, silence: lastWords(known, answer.reason) };
    const report = newer(answer.report);
    // What a failure says must lose its secrets first, which the step does.
    if (phase === 'installing' || report?.error) return { ...nothing, isNews: true };
    return { ...nothing, isNews: answer.isUp, report };
  }
}
