import {
  CloudError,
  rateLimitNews,
  type AdmittedRequest,
  type GatedRequest,
  type RequestGate,
  type RequestLimits,
  type RequestOutcome,
} from '@agent-controller/cloud-port';
import { startSpan, type Logger, type Span } from '@agent-controller/kernel';
import { providerRequestEnded } from '../signals';
import { budgetRefusal, FLOOR_SHARES, YIELD_SHARE, type Shares } from './budget-refusal';
import type { BudgetKey, BudgetRepository, Ticket } from './budget.repository';

/** How a request ended, for the metrics; `held-back` was not sent. */
export type CountedOutcome = 'ok' | 'refused' | 'rate-limited' | 'failed' | 'held-back';

/** Another request may have changed the row between two questions. */
const TRIES = 3;
/** Of those that boot, from then on: what a minute gives is there again until others are looked at. */
const SOON_LOOKED_AT_MS = 5_000;
const RETRY_MS = 1_000;
const DATABASE_RETRY_MS = 5_000;

/** One project's requests, let through by a row that all controllers share. */
export class ProviderGate implements RequestGate {
  constructor(
    private readonly budgets: BudgetRepository,
    private readonly key: BudgetKey,
    private readonly limits: RequestLimits,
    private readonly logger: Logger,
    private readonly count: (outcome: CountedOutcome) => void,
  ) {}

  async admit(request: GatedRequest): Promise<AdmittedRequest> {
    const { purpose, serverId, operation = purpose } = request;
    const span = startSpan(`${this.key.type} ${operation}`, {
      kind: 'client',
      attributes: { 'provider.type': this.key.type, 'provider.purpose': purpose, 'server.id': serverId },
    });
    const ticket = await this.reserve(request).catch((error: unknown) => {
      this.count('held-back');
      const refusal = error instanceof CloudError ? error : this.withoutDatabase(error);
      span?.set({ 'provider.status': 'held-back' });
      span?.fail(refusal);
      span?.end();
      throw refusal;
    });
    const sentAt = performance.now();
    return {
      settle: (outcome) => {
        this.measure(request, outcome, (performance.now() - sentAt) / 1000, span);
        return this.settle(request, ticket, outcome);
      },
    };
  }

  private measure({ purpose }: GatedRequest, outcome: RequestOutcome, seconds: number, span: Span | undefined): void {
    const status = String(outcome.status ?? outcome.silence ?? 'no-answer');
    providerRequestEnded.tell({ provider: this.key.type, purpose, status, seconds });
    span?.set({ 'provider.status': status });
    if (outcome.status === undefined || outcome.status >= 400) span?.fail();
    span?.end();
  }

  private async reserve(request: GatedRequest): Promise<Ticket> {
    for (let tries = 0; tries < TRIES; tries++) {
      const floor = FLOOR_SHARES[request.purpose];
      let shares = request.ordersServer ? { hour: YIELD_SHARE, minute: YIELD_SHARE } : floor;
      let ticket = await this.reserveAbove(shares, request);
      if (!ticket && request.ordersServer) {
        const { any, long } = await this.budgets.waitingServers(this.key.type, SOON_LOOKED_AT_MS);
        shares = { hour: any ? YIELD_SHARE : floor.hour, minute: long ? YIELD_SHARE : floor.minute };
        if (!any || !long) ticket = await this.reserveAbove(shares, request);
      }
      if (ticket) return ticket;
      const state = await this.budgets.state(this.key, this.limits);
      if (!state) {
        await this.budgets.insert(this.key, this.limits);
        continue;
      }
      const refusal = budgetRefusal(state, request, this.limits, this.key.type, shares);
      if (refusal) throw refusal;
    }
    throw new CloudError('rate-limited', `${this.key.type}: too many requests at once`, { retryAfterMs: RETRY_MS });
  }

  private reserveAbove({ hour, minute }: Shares, { listsKeys = false }: GatedRequest): Promise<Ticket | null> {
    return this.budgets.reserve(this.key, this.limits, { hourShare: hour, minuteShare: minute, listsKeys });
  }

  /** Nothing is sent that was not counted: without its database the controller could not keep what comes of it. */
  private withoutDatabase(error: unknown): CloudError {
    this.logger.warn({ provider: this.key.type, err: error }, 'the request budget could not be asked');
    const message = `${this.key.type} is not asked: the database, which holds the budget of requests, does not answer`;
    return new CloudError('unavailable', message, { retryAfterMs: DATABASE_RETRY_MS });
  }

  /** What the provider answered counts whatever becomes of the budget; the reservation ends by itself. */
  private async settle({ listsKeys, serverId }: GatedRequest, ticket: Ticket, outcome: RequestOutcome): Promise<void> {
    const { status } = outcome;
    const end = status === undefined ? 'silent' : status >= 500 ? 'broken' : 'answered';
    this.count(counted(status));
    const fields = { provider: this.key.type };
    const isLimitedApart = listsKeys === true && this.limits.keyListsPerMinute !== undefined;
    const news = rateLimitNews(outcome);
    try {
      const opened = await this.budgets.settle(this.key, this.limits, {
        ...{ ticket, end, serverId },
        // Whether the headers of such an answer speak of the hour or of its own limit is not documented.
        news: isLimitedApart ? { retryAfterMs: news.retryAfterMs } : news,
        blocksKeyListsOnly: status === 429 && isLimitedApart,
      });
      if (opened) this.logger.warn(fields, 'a provider does not answer: its circuit is open');
      if (ticket.isProbe && end === 'answered') this.logger.info(fields, 'a provider answers again');
    } catch (error) {
      this.logger.warn({ ...fields, err: error }, 'the request budget could not be told how a request ended');
    }
  }
}

function counted(status: number | undefined): CountedOutcome {
  if (status === undefined || status >= 500) return 'failed';
  if (status === 429) return 'rate-limited';
  return status >= 400 ? 'refused' : 'ok';
}
