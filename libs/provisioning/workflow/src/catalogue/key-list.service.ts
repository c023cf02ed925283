import { CloudError, type CloudProvider, type ProviderType, type SshKey } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '../tokens';
import { providerError } from './provider-error';

const FRESH_MS = 60_000;
/** A name that is missing may have been added just now. DigitalOcean answers 10 such questions a minute. */
const FRESH_FOR_A_MISS_MS = 10_000;

interface CachedKeys {
  loadedAt: number;
  keys: Promise<SshKey[]>;
}

/** Which SSH keys are in the providers' projects; many callers cause one question. */
@Injectable()
export class KeyListService {
  readonly #lists = new Map<ProviderType, CachedKeys>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /**
   * The project's keys, at most a minute old, and 10 s when one of these names is not among them.
   * @throws AppError `provider-unavailable`, `provider-refused`
   */
  async keysFor(provider: CloudProvider, names: readonly string[]): Promise<SshKey[]> {
    if (names.length === 0) return [];
    const keys = await this.list(provider, FRESH_MS);
    const isComplete = names.every((name) => keys.some((key) => key.name === name));
    return isComplete ? keys : this.list(provider, FRESH_FOR_A_MISS_MS);
  }

  private async list(provider: CloudProvider, freshMs: number): Promise<SshKey[]> {
    const now = this.clock.now().getTime();
    const cached = this.#lists.get(provider.type);
    if (cached && now - cached.loadedAt < freshMs) return cached.keys;
    const keys = this.load(provider);
    this.#lists.set(provider.type, { loadedAt: now, keys });
    // A failure is not kept.
    keys.catch(() => this.#lists.delete(provider.type));
    return keys;
  }

  private async load(provider: CloudProvider): Promise<SshKey[]> {
    try {
      return await provider.listKeys();
    } catch (error) {
      throw error instanceof CloudError ? providerError(error) : error;
    }
  }
}
