import type { CloudProvider, ProviderType } from '@agent-controller/cloud-port';
import { SingleFlight } from '@agent-controller/kernel';
import { Injectable } from '@nestjs/common';
import type { Instance } from './instance.entity';

/**
 * Our key in each provider's project. It is named in every create, so that no root password is mailed, and it proves
 * that a token still sees the project in which a server was made: a wrong project answers "not found" for everything.
 */
@Injectable()
export class SentinelService {
  readonly #ids = new Map<ProviderType, string>();
  /** By provider and key. */
  readonly #asked = new SingleFlight<string, boolean>();

  /** Makes sure that the key is there; asks the provider once per process. @returns the key's id */
  async ensure(provider: CloudProvider, instance: Pick<Instance, 'instanceId' | 'projectPublicKey'>): Promise<string> {
    const known = this.#ids.get(provider.type);
    if (known) return known;
    const name = `agent-controller-${instance.instanceId}`;
    const id = await provider.ensureSentinel({ name, publicKey: instance.projectPublicKey });
    this.#ids.set(provider.type, id);
    return id;
  }

  forget(type: ProviderType): void {
    this.#ids.delete(type);
  }

  /**
   * Whether "not found" can be believed for servers made beside this key. Who asks meanwhile shares the next answer: a
   * question that began before the provider said "not found" proves nothing of it.
   */
  async isVisible(provider: CloudProvider, sentinelId: string | null): Promise<boolean> {
    if (sentinelId === null) return false;
    return this.#asked.runNext(`${provider.type} ${sentinelId}`, () => provider.hasSentinel(sentinelId));
  }
}
