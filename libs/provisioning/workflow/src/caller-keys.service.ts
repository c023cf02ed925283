import type { CloudProvider } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { Instance } from './instance.entity';
import type { StoredSshKey } from './provisioning.types';

const HASH_DIGITS = 16;

/** The callers' SSH keys in the providers' projects. Those that we put there stay: other servers may use them. */
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

  /** Asks again: a key may have been removed at the provider. */
  forget(provider: CloudProvider): void {
    for (const place of this.#ids.keys()) {
      if (place.startsWith(`${provider.type} `)) this.#ids.delete(place);
    }
  }

  private async ensureOne(
    provider: CloudProvider,
    { instanceId }: Pick<Instance, 'instanceId'>,
    publicKey: string,
  ): Promise<string> {
    const name = keyName(publicKey);
    const place = `${provider.type} ${name}`;
    const known = this.#ids.get(place);
    if (known) return known;
    const id = await provider.ensureKey({ name, publicKey, instanceId });
    this.#ids.set(place, id);
    return id;
  }
}

/** The same for the same key, whatever its comment. */
function keyName(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `agent-controller-key-${createHash('sha256').update(blob).digest('hex').slice(0, HASH_DIGITS)}`;
}
