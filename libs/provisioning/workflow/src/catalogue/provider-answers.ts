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

  /** @throws AppError `provider-unavailable`, `provider-refused` */
  get(provider: CloudProvider, freshMs: number): Promise<T> {
    const now = this.clock.now().getTime();
    const kept = this.#kept.get(provider.type);
    if (kept && now - kept.loadedAt < freshMs) return kept.answer;
    const answer = this.load(provider);
    this.#kept.set(provider.type, { loadedAt: now, answer });
    answer.catch(() => this.#kept.delete(provider.type));
    return answer;
  }

  private async load(provider: CloudProvider): Promise<T> {
    try {
      return await this.ask(provider);
    } catch (error) {
      throw error instanceof CloudError ? providerError(error) : error;
    }
  }
}
