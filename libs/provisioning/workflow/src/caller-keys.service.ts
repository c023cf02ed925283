import type { CloudProvider } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { callerKeyName } from './caller-key-name';
import type { Instance } from './instance.entity';
import type { StoredSshKey } from './provisioning.types';

/** About 150 bytes each. One that is not remembered is asked for again, by one request. */
const MAX_REMEMBERED = 5_000;

/** The callers' SSH keys in the providers' projects. The sweep takes those out that no row names any more. */
@Injectable()
export class CallerKeysService {
  readonly #ids = new Map<string, string>();

  /** Makes sure that the public keys are there; asks the provider once per key and process. @returns ids of all */
  async ensure(
    provider: CloudProvider,
    instance: Pick<Instance, 'instanceId'>,
    keys: readonly StoredSshKey[],
  ): Promise<string[]> {
    const ids: string[] = [];
    for (const key of keys) {
      ids.push('id' in key ? key.id : await this.ensureOne(provider, instance, key.publicKey));
    }
    return ids;
  }

  /** Whether one of the keys would be answered from memory: it may have been removed at the provider since. */
  remembers(provider: CloudProvider, instance: Pick<Instance, 'instanceId'>, keys: readonly StoredSshKey[]): boolean {
    return keys.some((key) => 'publicKey' in key && this.#ids.has(place(provider, key.publicKey, instance)));
  }

  /** Asks again: a key may have been removed at the provider. */
  forget(provider: CloudProvider): void {
    for (const each of this.#ids.keys()) {
      if (each.startsWith(`${provider.type} `)) this.#ids.delete(each);
    }
  }

  private async ensureOne(
    provider: CloudProvider,
    instance: Pick<Instance, 'instanceId'>,
    publicKey: string,
  ): Promise<string> {
    const { instanceId } = instance;
    const where = place(provider, publicKey, instance);
    const known = this.#ids.get(where);
    if (known) return known;
    const id = await provider.ensureKey({ name: callerKeyName(publicKey, instanceId), publicKey, instanceId });
    this.#ids.set(where, id);
    if (this.#ids.size > MAX_REMEMBERED) this.#ids.delete(this.#ids.keys().next().value ?? '');
    return id;
  }
}

function place({ type }: CloudProvider, publicKey: string, { instanceId }: Pick<Instance, 'instanceId'>): string {
  return `${type} ${callerKeyName(publicKey, instanceId)}`;
}
