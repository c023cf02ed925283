import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { SealedPlace } from './sealed-columns';
import { SealedValueError } from './sealed-value.error';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^v1\.([0-9a-f]{8})\.([\w-]+)$/;

/**
 * Seals secrets for the database with AES-256-GCM.
 * A sealed value is `v1.<key id>.<base64url of nonce, tag and ciphertext>`.
 * The first key seals; every key opens, so that keys can be rotated.
 */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #installationSecret: Buffer | undefined;
  /** Of the key that seals. */
  readonly sealingKeyId: string;

  /**
   * @param keys 32 bytes each, the sealing key first
   * @param installationSecret what secrets are derived from; it outlives the keys. Without it, the sealing key
   * @throws RangeError on no key or a key of another length
   */
  constructor(keys: readonly Buffer[], installationSecret?: Buffer) {
    const [first] = keys;
    if (!first) throw new RangeError('SecretBox needs at least one key');
    for (const key of keys) {
      if (key.length !== 32) throw new RangeError('Every encryption key must have 32 bytes');
    }
    this.#keys = new Map(keys.map((key) => [keyId(key), key]));
    this.#installationSecret = installationSecret;
    this.sealingKeyId = keyId(first);
  }

  /** The sealing key's first. */
  get keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  seal(plaintext: string, place: SealedPlace): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.sealingKey, nonce);
    cipher.setAAD(aad(place));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    const payload = Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url');
    return `${VERSION}.${this.sealingKeyId}.${payload}`;
  }

  /** @throws SealedValueError when the key is unknown, the value was altered, or it was sealed for another place */
  open(sealed: string, place: SealedPlace): string {
    const [, id = '', payload = ''] = SEALED.exec(sealed) ?? [];
    if (id === '') throw new SealedValueError('not-authentic', place, null);
    const key = this.#keys.get(id);
    if (!key) throw new SealedValueError('unknown-key', place, id);
    const bytes = Buffer.from(payload, 'base64url');
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(aad(place));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new SealedValueError('not-authentic', place, id);
    }
  }

  /** A secret of 256 bits for a purpose, base64url: the same for as long as the installation lives. */
  derive(purpose: string): string {
    return derived(this.#installationSecret ?? this.sealingKey, purpose);
  }

  /** As releases before the installation's secret derived it: from every key, the sealing key's first. */
  deriveByKeys(purpose: string): string[] {
    return [...this.#keys.values()].map((key) => derived(key, purpose));
  }

  private get sealingKey(): Buffer {
    return this.#keys.get(this.sealingKeyId)!;
  }
}

/** Which key sealed a value; null for what is none. */
export function sealedKeyId(sealed: string): string | null {
  return SEALED.exec(sealed)?.[1] ?? null;
}

function derived(key: Buffer, purpose: string): string {
  return createHmac('sha256', key).update(`derived: ${purpose}`).digest('base64url');
}

function keyId(key: Buffer): string {
  return createHash('sha256').update('agent-controller key id').update(key).digest('hex').slice(0, 8);
}

function aad({ table, column, rowId }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([table, column, rowId]), 'utf8');
}
