import type { CloudProvider, SshKey } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '../tokens';
import { ProviderAnswers } from './provider-answers';

const FRESH_MS = 60_000;
/** A name that is missing may have been added just now. DigitalOcean answers 10 such questions a minute. */
const FRESH_FOR_A_MISS_MS = 10_000;

/** Which SSH keys are in the providers' projects; many callers cause one question. */
@Injectable()
export class KeyListService {
  readonly #lists: ProviderAnswers<SshKey[]>;

  constructor(@Inject(CLOCK) clock: Clock) {
    this.#lists = new ProviderAnswers(clock, (provider) => provider.listKeys());
  }

  /**
   * The project's keys, at most a minute old, and 10 s when one of these names is not among them.
   * @throws AppError `provider-unavailable`, `provider-refused`
   */
  async keysFor(provider: CloudProvider, names: readonly string[]): Promise<SshKey[]> {
    if (names.length === 0) return [];
    const keys = await this.#lists.get(provider, FRESH_MS);
    const isComplete = names.every((name) => keys.some((key) => key.name === name));
    return isComplete ? keys : this.#lists.get(provider, FRESH_FOR_A_MISS_MS);
  }
}
