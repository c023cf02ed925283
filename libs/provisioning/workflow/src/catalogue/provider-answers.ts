import { CloudError, type CloudProvider, type ProviderType } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { providerError } from './provider-error';

interface KeptAnswer<T> {
  loadedAt: number;
  answer: Promise<T>;
}

/** What each provider answered to one kind of question; many callers cause one question. A failure is not kept. */
export class ProviderAnswers<T> {
  readonly #kept = new Map<ProviderType, KeptAnswer<T>>();

  constructor(
    private readonly clock: Clock,
    private readonly ask: (provider: CloudProvider) => Promise<T>,
  ) {}

  /**
   * @param freshMs how old the answer may be
   * @throws AppError `provider-unavailable`, `provider-refused`
   */
  get(provider: CloudProvider, freshMs: number): Promise<T> {
    const now = this.clock.now().getTime();
    const kept = this.#kept.get(provider.type);
    if (kept && now - kept.loadedAt < freshMs) return kept.answer;
    const answer = this.ask(provider).catch((error: unknown) => {
      this.#kept.delete(provider.type);
      throw error instanceof CloudError ? providerError(error) : error;
    });
    this.#kept.set(provider.type, { loadedAt: now, answer });
    return answer;
  }
}
