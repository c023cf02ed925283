import { CloudError, type CloudProvider, type ProviderType } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { stopsClock } from '../steps/cloud-failure';
import { providerError } from './provider-error';

interface KeptAnswer<T> {
  loadedAt: number;
  answer: Promise<T>;
}

/** How old an answer may be, in milliseconds. */
export interface AnswerAge {
  freshMs: number;
  /** While the provider cannot be asked. */
  staleMs?: number;
}

/** What each provider answered to one kind of question; many callers cause one question. A failure is not kept. */
export class ProviderAnswers<T> {
  readonly #kept = new Map<ProviderType, KeptAnswer<T>>();
  readonly #last = new Map<ProviderType, { loadedAt: number; answer: T }>();

  constructor(
    private readonly clock: Clock,
    private readonly ask: (provider: CloudProvider) => Promise<T>,
  ) {}

  /** @throws AppError `provider-unavailable`, `provider-refused` */
  get(provider: CloudProvider, { freshMs, staleMs = 0 }: AnswerAge): Promise<T> {
    const now = this.clock.now().getTime();
    const kept = this.#kept.get(provider.type);
    if (kept && now - kept.loadedAt < freshMs) return kept.answer;
    const answer = this.load(provider, now, staleMs);
    this.#kept.set(provider.type, { loadedAt: now, answer });
    answer.catch(() => this.#kept.delete(provider.type));
    return answer;
  }

  private async load(provider: CloudProvider, now: number, staleMs: number): Promise<T> {
    try {
      const answer = await this.ask(provider);
      this.#last.set(provider.type, { loadedAt: now, answer });
      return answer;
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      const last = this.#last.get(provider.type);
      if (last && stopsClock(error) && now - last.loadedAt < staleMs) return last.answer;
      throw providerError(error);
    }
  }
}
