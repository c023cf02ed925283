import { ClientRepository } from '@agent-controller/clients';
import { TimeLimit, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { AgentHealth } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import { enqueueAgentWatch } from '../jobs/job-queue';
import { pause } from '../observation/pause';
import { UsualTimes } from '../observation/usual-times';
import { isWatched, type Phase, type WatchedPhase } from '../phases';
import { isWorthALook, lastWords, mayAnswer } from '../reports/report-news';
import { isNewer, type ServerReport } from '../reports/server-report';
import { waitingAgentLooked } from '../signals';
import { installedResult } from '../steps/installing.step';
import { ready } from '../steps/ready.result';
import { seenOf } from '../steps/starting.step';
import { CLOCK, LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { pollDelayMs } from './poll-delay';
import { dueAfterMs, firstDelayMs, watchDelayMs, type WaitingCrowd } from './watch-delay';
import { WaitingAgents, type ClaimedAgent, type SettledLook } from './waiting-agents.repository';

/** A job should not last. */
export const SHIFT_MS = 20_000;
const ROUND_MS = 200;
/** While more are due than may be looked at at a time. */
const BUSY_ROUND_MS = 10;
const COUNT_EVERY = 5;
/** For a look: a server that says nothing for so long has nothing to say yet. */
const PATIENCE_MS = 2_000;
/** For a check of one that is up: a small server, which has just begun, is slow. */
const CHECK_PATIENCE_MS = 10_000;

type Found = Pick<SettledLook, 'result' | 'isNews' | 'report' | 'silence'>;
const NOTHING: Found = { result: null, isNews: false, report: null, silence: null };

/**
 * Looks at the servers that are being installed until they have something to say, begins the next phase of many at once,
 * and wakes the steps of those alone that failed or cannot be saved so. Each controller may be on duty; each look is
 * claimed first.
 */
@Injectable()
export class AgentWatch {
  #isOnDuty = false;
  #underWay = 0;
  #settled: SettledLook[] = [];
  /** How long the phases take. */
  readonly #usual = new UsualTimes<Phase>();

  constructor(
    private readonly rows: WaitingAgents,
    private readonly health: AgentHealth,
    private readonly clients: ClientRepository,
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
      let crowd: WaitingCrowd = { count: 0, due: 0 };
      for (let round = 0; !stop.aborted && this.clock.now().getTime() < ends; round++) {
        if (round % COUNT_EVERY === 0) crowd = await this.rows.count(this.dueAfterMs(), this.clock.now());
        if (crowd.count === 0 && this.#underWay === 0) return;
        const isFull = await this.round(crowd, stop).catch((error: unknown) => this.failed(error));
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
  private async round(crowd: WaitingCrowd, stop: AbortSignal): Promise<boolean> {
    const most = Math.max(1, Math.floor(this.options.agentConnections / 2));
    const room = most - this.#underWay;
    const flushed = this.flush().catch((error: unknown) => this.failed(error));
    try {
      if (room <= 0) return true;
      const claimed = await this.rows.claim(room);
      this.#underWay += claimed.length;
      for (const agent of claimed) void this.watch(agent, crowd, stop);
      return claimed.length === room;
    } finally {
      await flushed;
    }
  }

  private async flush(): Promise<void> {
    await this.rows.settle(this.#settled.splice(0), this.clock.now());
  }

  private async watch(agent: ClaimedAgent, crowd: WaitingCrowd, stop: AbortSignal): Promise<void> {
    const { id, phase, phaseSince } = agent.row;
    const began = this.clock.now();
    const startedAt = performance.now();
    try {
      const found = await this.look(agent, stop);
      const now = this.clock.now();
      if (isWatched(phase)) {
        waitingAgentLooked.tell({ phase, result: kindOf(found), seconds: (performance.now() - startedAt) / 1000 });
      }
      if (found.result) this.#usual.learn(phase, now.getTime() - phaseSince.getTime());
      if (!stop.aborted)
        this.#settled.push({ agent, nextMs: this.nextMs(agent, found, { crowd, began, now }), ...found });
    } catch (error) {
      // The others must not suffer from it; its claim ends by itself.
      this.logger.error({ err: error, provisioningId: id }, 'a server could not be looked at');
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Of one whose phase is over: until the first look of the next one. */
  private nextMs(
    { row: { phase, phaseSince, report: known } }: ClaimedAgent,
    { isNews, result }: Found,
    { crowd, began, now }: { crowd: WaitingCrowd; began: Date; now: Date },
  ): number {
    if (isNews) return pollDelayMs(phaseSince, now);
    const times = this.dueAfterMs();
    if (result) {
      // A server that reports may be further than its row.
      const report = result.report ?? known;
      const isUp = report !== null && isWorthALook(result.phase, report, null);
      return isUp || !isWatched(result.phase) ? 0 : firstDelayMs(crowd, times[result.phase]);
    }
    return watchDelayMs({ crowd, dueAfterMs: isWatched(phase) ? times[phase] : 0, phaseSince, began, now });
  }

  private dueAfterMs(): Record<WatchedPhase, number> {
    const of = (phase: WatchedPhase) => dueAfterMs(this.#usual.least(phase));
    return { installing: of('installing'), starting: of('starting') };
  }

  /** What a step would find, of a server that says nothing of a failure: that is for its step to read. */
  private async look({ row, client }: ClaimedAgent, stop: AbortSignal): Promise<Found> {
    const { phase, report: known } = row;
    const target = agentTarget(client);
    if (!target) return NOTHING;
    if (known?.error) return { ...NOTHING, isNews: true };
    const credentials = phase === 'starting' ? this.clients.openCredentials(client) : null;
    const newer = (said: ServerReport | null) => (said && isNewer(said, known) ? said : null);
    const limit = new TimeLimit(stop);
    limit.set(PATIENCE_MS);
    const answer = await this.health
      .look(target, limit.signal, (said) => {
        if (!credentials || newer(said)?.error || !mayAnswer(newer(said) ?? known)) return null;
        limit.set(CHECK_PATIENCE_MS);
        return credentials;
      })
      .finally(() => limit.end());
    if (answer.state === 'silent') return { ...NOTHING, silence: lastWords(known, answer.reason) };
    const report = newer(answer.report);
    // What it says must lose its secrets first.
    if (report?.error) return { ...NOTHING, isNews: true };
    if (phase === 'installing') return { ...NOTHING, result: installedResult(report ?? undefined) };
    const { check } = answer;
    if (check?.state === 'ready') return { ...NOTHING, result: ready(check, report ?? undefined) };
    return { ...NOTHING, report, silence: check && seenOf(report ?? known, check.reason) };
  }
}

function kindOf({ result, isNews, silence }: Found) {
  if (result) return 'over';
  if (isNews) return 'news';
  return silence === null ? 'answers' : 'silent';
}
