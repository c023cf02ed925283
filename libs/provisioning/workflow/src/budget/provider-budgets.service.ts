import type { ProviderType, RequestGate, RequestLimits } from '@agent-controller/cloud-port';
import type { Logger, Secret } from '@agent-controller/kernel';
import { createHash } from 'node:crypto';
import { DataSource } from 'typeorm';
import { BudgetRepository, type BudgetKey } from './budget.repository';
import { ProviderGate, type CountedOutcome } from './provider-gate';

/** What is known of a provider's project, by all controllers together. Times are null for what has not happened. */
export interface ProviderCondition {
  type: ProviderType;
  /** `open`: it did not answer, and only now and then one request is sent to see whether it does. */
  circuit: 'closed' | 'open';
  openSince: Date | null;
  /** When the next request is let through an open circuit. */
  retryAt: Date | null;
  /** Null before the first request. `asOf`: when the provider last told what is left; what went since is taken off. */
  budget: { limit: number; remaining: number; asOf: Date | null } | null;
}

interface KnownProject {
  key: BudgetKey;
  limits: RequestLimits;
  counts: Map<CountedOutcome, number>;
}

/** The gates of this controller's providers, and what they know. */
export class ProviderBudgets {
  readonly #repository: BudgetRepository;
  readonly #projects: KnownProject[] = [];

  constructor(
    dataSource: DataSource,
    private readonly logger: Logger,
  ) {
    this.#repository = new BudgetRepository(dataSource);
  }

  /** The gate of the project that this token belongs to: the same row for all controllers that have it. */
  gate(type: ProviderType, token: Secret, limits: RequestLimits): RequestGate {
    const project = createHash('sha256').update(token.reveal()).digest('hex');
    const counts = new Map<CountedOutcome, number>();
    this.#projects.push({ key: { type, project }, limits, counts });
    const count = (outcome: CountedOutcome) => counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    return new ProviderGate(this.#repository, { type, project }, limits, this.logger, count);
  }

  conditions(): Promise<ProviderCondition[]> {
    return Promise.all(this.#projects.map((project) => this.condition(project)));
  }

  /** Requests of this process so far. */
  counts(): { type: ProviderType; outcome: CountedOutcome; count: number }[] {
    return this.#projects.flatMap(({ key: { type }, counts }) =>
      [...counts].map(([outcome, count]) => ({ type, outcome, count })),
    );
  }

  private async condition({ key, limits }: KnownProject): Promise<ProviderCondition> {
    const state = await this.#repository.state(key, limits);
    const { type } = key;
    if (!state) return { type, circuit: 'closed', openSince: null, retryAt: null, budget: null };
    const { hourLimit, hourLeft, openSince, retryAt, toldAt } = state;
    return {
      type,
      circuit: state.isOpen ? 'open' : 'closed',
      openSince,
      retryAt,
      budget: { limit: hourLimit, remaining: Math.max(0, Math.floor(hourLeft)), asOf: toldAt },
    };
  }
}
