import {
  CloudError,
  CloudProviderRegistry,
  publicAddress,
  type CloudProvider,
  type CloudServer,
  type ProviderType,
} from '@agent-controller/cloud-port';
import { inSpan, type Clock, type Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { EventLog } from './event-log';
import { crowdOf, planLook, type LookPlan } from './observation/look-cadence';
import { UsualTimes } from './observation/usual-times';
import { OBSERVED, WaitingServers, type WaitingRow } from './observation/waiting-servers.repository';
import { serversObserved } from './signals';
import { backOffMs, cloudFailure, stopsClock } from './steps/cloud-failure';
import { CLOCK, LOGGER } from './tokens';
import { visibilityGraceMs, WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

const MAX_LINKS = 32;
/** Of the time after which a server that nobody saw is asked for by itself. */
const STALE = 0.75;

interface Duty {
  /** Errors in a row, for the back-off. */
  errors: number;
  lookedAt: Date | null;
  requests: number;
  /** When it was to be time for the next look, by the last one; null before. */
  plannedAt: Date | null;
  /** How many waited, fading, and when. */
  crowd: number;
  crowdAt: Date;
}

/**
 * Looks at all waiting servers of a provider at once, so that what is asked does not grow with their number, and wakes
 * the steps of those that changed. Two at a time do no harm.
 */
@Injectable()
export class ServerObserver {
  readonly #duties = new Map<ProviderType, Duty>();
  readonly #boots = new UsualTimes<ProviderType>();

  constructor(
    private readonly rows: WaitingServers,
    private readonly events: EventLog,
    private readonly providers: CloudProviderRegistry,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'providerTimeoutMs'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One look, when it is time for one. @returns milliseconds until it may be time again; null when nobody waits */
  async look(type: ProviderType): Promise<number | null> {
    const provider = this.providers.find(type);
    const waiting = await this.rows.find(type);
    if (!provider || waiting.length === 0) {
      this.forgetPlan(type);
      return null;
    }
    const now = this.clock.now();
    const duty = this.duty(type, waiting.length, now);
    const plan = this.plan(waiting, duty, type, now);
    if (plan.due.length === 0) {
      this.#duties.set(type, { ...duty, plannedAt: after(now, plan.waitMs) });
      return plan.waitMs;
    }
    // One look is for all who wait: it is part of no one's trace, and points to some.
    const links = waiting.flatMap(({ traceParent }) => traceParent ?? []).slice(0, MAX_LINKS);
    const attributes = { 'provider.type': type, 'servers.waiting': waiting.length };
    return inSpan('look at waiting servers', { parent: null, links, attributes }, () =>
      this.ask(provider, waiting, plan, duty),
    );
  }

  private async ask(
    provider: CloudProvider,
    waiting: readonly WaitingRow[],
    plan: LookPlan,
    duty: Duty,
  ): Promise<number> {
    const { type } = provider;
    const now = this.clock.now();
    const lateSeconds = duty.plannedAt && Math.max(0, now.getTime() - duty.plannedAt.getTime()) / 1000;
    const told = { provider: type, servers: waiting.length, lateSeconds };
    try {
      const asked = plan.due.flatMap((place) => waiting[place] ?? []);
      const { servers, requests } = await provider.look(asked.map(toWaitingServer), { runningOnly: plan.runningOnly });
      await this.save(type, waiting, servers, now);
      this.#duties.set(type, { ...duty, errors: 0, lookedAt: now, requests, plannedAt: after(now, plan.waitMs) });
      serversObserved.tell({ ...told, result: 'seen' });
      return Math.max(1, plan.waitMs - (this.clock.now().getTime() - now.getTime()));
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      const errors = duty.errors + 1;
      // The next one is not put off twice.
      const backOff = backOffMs(errors, error.retryAfterMs);
      this.#duties.set(type, { ...duty, errors, lookedAt: null, plannedAt: after(this.clock.now(), backOff) });
      serversObserved.tell({ ...told, result: 'failed' });
      this.logger.warn({ provider: type, kind: error.kind, err: error }, 'looking at the waiting servers failed');
      if (stopsClock(error)) await this.pause(waiting, error);
      return backOff;
    }
  }

  private forgetPlan(type: ProviderType): void {
    const duty = this.#duties.get(type);
    if (duty) this.#duties.set(type, { ...duty, plannedAt: null });
  }

  private duty(type: ProviderType, count: number, now: Date): Duty {
    const before = this.#duties.get(type) ?? {
      ...{ errors: 0, lookedAt: null, requests: 1, plannedAt: null, crowd: 0, crowdAt: now },
    };
    const agoMs = Math.max(0, now.getTime() - before.crowdAt.getTime());
    const duty = { ...before, crowd: crowdOf(count, { crowd: before.crowd, agoMs }), crowdAt: now };
    this.#duties.set(type, duty);
    return duty;
  }

  private plan(waiting: readonly WaitingRow[], { lookedAt, requests, crowd }: Duty, type: ProviderType, now: Date) {
    const since = (at: Date) => Math.max(0, now.getTime() - at.getTime());
    return planLook(
      waiting.map(({ phaseSince, observedAt, pausedSince, speaks }) => ({
        ageMs: since(phaseSince),
        unseenMs: since(observedAt ?? phaseSince),
        isPaused: pausedSince !== null,
        speaks,
      })),
      {
        usualMs: this.#boots.least(type),
        lastLook: lookedAt && { agoMs: since(lookedAt), requests },
        crowd,
        staleMs: visibilityGraceMs(this.options) * STALE,
      },
    );
  }

  /** Waiting is told once per row, not at each look. */
  private async pause(waiting: readonly WaitingRow[], error: CloudError): Promise<void> {
    const now = this.clock.now();
    const failure = cloudFailure(error);
    const { code, action, message } = failure;
    const why = { ...failure, phase: OBSERVED, at: now.toISOString() };
    const rows = new Map(waiting.filter(({ pausedSince }) => !pausedSince).map((row) => [row.id, row]));
    if (rows.size === 0) return;
    await this.rows.manager.transaction(async (manager) => {
      const paused = await this.rows.pause([...rows.keys()], why, now, manager);
      const logs = paused.flatMap(({ id, before }) => {
        const source = rows.get(id);
        return source
          ? [{ source, before, events: [{ type: 'error' as const, message, data: { code, action } }] }]
          : [];
      });
      await this.events.appendNumbered(manager, logs, now);
    });
  }

  private async save(type: ProviderType, waiting: readonly WaitingRow[], servers: CloudServer[], now: Date) {
    const paused = waiting.filter(({ pausedSince }) => pausedSince !== null);
    await this.rows.resume(idsOf(paused), now);
    const rows = new Map(waiting.map((row) => [row.serverId, row]));
    const seen = servers.flatMap((server) => {
      const row = rows.get(server.id);
      return row ? [{ row, server }] : [];
    });
    const news = seen.filter(({ row, server }) => isNews(row, server));
    for (const { row, server } of news) {
      // What stood still says nothing about boots.
      if (server.status === 'running' && !row.pausedSince) {
        this.#boots.learn(type, now.getTime() - row.phaseSince.getTime());
      }
    }
    await this.rows.saveNews(
      news.map(({ row: { id }, server }) => ({ id, server })),
      now,
    );
    await this.rows.touch(idsOf(seen.filter(({ row, server }) => !isNews(row, server)).map(({ row }) => row)), now);
  }
}

function after(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

function idsOf(rows: readonly WaitingRow[]): string[] {
  return rows.map(({ id }) => id);
}

function toWaitingServer({ serverId, serverCreatedAt, lookGroup }: WaitingRow) {
  return { serverId, createdAt: serverCreatedAt, ...(lookGroup === null ? {} : { lookGroup }) };
}

function isNews(row: WaitingRow, server: CloudServer): boolean {
  return (
    server.status !== row.serverStatus ||
    server.providerStatus !== row.providerStatus ||
    publicAddress(server) !== row.publicIp
  );
}
