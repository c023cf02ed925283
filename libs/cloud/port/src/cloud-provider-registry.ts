import type { CloudProvider, ProviderType } from './cloud-provider';

/** The providers that this installation has a token for. */
export class CloudProviderRegistry {
  readonly #providers: ReadonlyMap<string, CloudProvider>;

  constructor(providers: readonly CloudProvider[]) {
    this.#providers = new Map(providers.map((provider) => [provider.type, provider]));
  }

  all(): CloudProvider[] {
    return [...this.#providers.values()];
  }

  find(type: string): CloudProvider | undefined {
    return this.#providers.get(type as ProviderType);
  }
}
