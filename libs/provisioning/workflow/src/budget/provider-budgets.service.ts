import type { ProviderType, RequestGate, RequestLimits } from '@agent-controller/cloud-port';
import type { Logger, Secret } from '@agent-controller/kernel';
import { createHash } from 'node:crypto';
import { DataSource } from 'typeorm';
import { BudgetRepository, type BudgetKey, type BudgetStanding } from './budget.repository';
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
    this.#projects.push({ key: { type, project }, counts });
    const count = (outcome: CountedOutcome) => counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    return new ProviderGate(this.#repository, { type, project }, limits, this.logger, count);
  }

  /** By one statement. */
  async conditions(): Promise<ProviderCondition[]> {
    const standings = await this.#repository.standings(this.#projects.map(({ key }) => key));
    return this.#projects.map(({ key: { type, project } }) =>
      condition(
        type,
        standings.find((one) => one.type === type && one.project === project),
      ),
    );
  }

  /** Requests of this process so far. */
  counts(): { type: ProviderType; outcome: CountedOutcome; count: number }[] {
    return this.#projects.flatMap(({ key: { type }, counts }) =>
      [...counts].map(([outcome, count]) => ({ type, outcome, count })),
    );
  }
}

function condition(type: ProviderType, standing: BudgetStanding | undefined): ProviderCondition {
  if (!standing) return { type, circuit: 'closed', openSince: null, retryAt: null, budget: null };
  const { hourLimit, hourLeft, openSince, retryAt, toldAt } = standing;
  return {
    type,
    circuit: openSince ? 'open' : 'closed',
    openSince,
    retryAt,
    budget: { limit: hourLimit, remaining: Math.max(0, Math.floor(hourLeft)), asOf: toldAt },
  };
}
