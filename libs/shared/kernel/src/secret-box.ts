import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';

/** Where a sealed value lives. It is authenticated with the value: moved elsewhere, the value no longer opens. */
export interface SealedPlace {
  table: string;
  column: string;
  rowId: string;
}

const ALGORITHM = 'aes-256-gcm';
const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets for the database with AES-256-GCM.
 * A sealed value is `v1.<key id>.<base64url of nonce, tag and ciphertext>`.
 * The first key seals; every key opens, so that keys can be rotated.
 */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #sealingKeyId: string;

  /** @param keys 32 bytes each, the sealing key first. @throws RangeError on no key or a key of another length */
  constructor(keys: readonly Buffer[]) {
    const [first] = keys;
    if (!first) throw new RangeError('SecretBox needs at least one key');
    for (const key of keys) {
      if (key.length !== 32) throw new RangeError('Every encryption key must have 32 bytes');
    }
    this.#keys = new Map(keys.map((key) => [keyId(key), key]));
    this.#sealingKeyId = keyId(first);
  }

  seal(plaintext: string, place: SealedPlace): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key(this.#sealingKeyId), nonce);
    cipher.setAAD(aad(place));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    const payload = Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url');
    return `${VERSION}.${this.#sealingKeyId}.${payload}`;
  }

  /** @throws Error when the key is unknown, the value was altered, or it was sealed for another place */
  open(sealed: string, place: SealedPlace): string {
    const [version, id, payload] = sealed.split('.');
    if (version !== VERSION || !id || !payload) throw new Error('Not a sealed value');
    const bytes = Buffer.from(payload, 'base64url');
    const decipher = createDecipheriv(ALGORITHM, this.key(id), bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(aad(place));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }

  /** A secret of 256 bits for a purpose, base64url: the same as long as the sealing key is. */
  derive(purpose: string): string {
    return derived(this.key(this.#sealingKeyId), purpose);
  }

  /** The same for every key, the sealing key's first: what was made before a rotation is still recognised. */
  deriveEach(purpose: string): string[] {
    return [...this.#keys.values()].map((key) => derived(key, purpose));
  }

  private key(id: string): Buffer {
    const key = this.#keys.get(id);
    if (!key) throw new Error(`A value was sealed with the key ${id}, which is not among ENCRYPTION_KEYS`);
    return key;
  }
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
