import { REDEMPTION_DOMAIN } from '@agent-controller/provisioning-bootstrap';
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** Longest request for secret files that is taken, in bytes; a server's has some 500. */
export const MAX_REDEMPTION_BYTES = 4_096;

const base64 = z.string().regex(/^[A-Za-z0-9+/]{1,400}={0,2}$/);
const schema = z.strictObject({
  attempt: z.int().min(1),
  /** SubjectPublicKeyInfo, DER. */
  publicKey: base64,
  /** Milliseconds since 1970, by the server's clock. */
  sentAt: z.int().min(0),
  /** ECDSA with SHA-256, DER. */
  signature: base64,
});

/** What a server sends to get its secret files. */
export type RedemptionRequest = z.infer<typeof schema>;

/** @returns null for what is no such request */
export function parseRedemptionRequest(value: unknown): RedemptionRequest | null {
  return schema.safeParse(value).data ?? null;
}

/**
 * Whose request it is: the key that signed it, in one spelling, or null when the signature is not that key's. Only keys
 * on the curve P-256 are keys here.
 */
export function signerOf(request: RedemptionRequest, provisioningId: string): string | null {
  const { attempt, publicKey, sentAt, signature } = request;
  const key = p256Key(publicKey);
  if (!key) return null;
  const text = [REDEMPTION_DOMAIN, provisioningId, attempt, publicKey, sentAt].join('\n');
  const isSigned = verify('sha256', Buffer.from(text), { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'));
  return isSigned ? key.export({ type: 'spki', format: 'der' }).toString('base64') : null;
}

function p256Key(publicKey: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return isP256 ? key : null;
  } catch {
    return null;
  }
}
