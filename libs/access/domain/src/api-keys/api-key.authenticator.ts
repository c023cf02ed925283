import type { Role } from '@agent-controller/kernel';
import { hash, timingSafeEqual } from 'node:crypto';
import type { Authentication, Authenticator, Identity } from '../identity';
import type { ApiKeyEntry } from './api-key-entry';

/** A digest, and who its key stands for. */
export interface KnownKey {
  digest: Buffer;
  subject: string;
  role: Role;
}

export function sha256(value: string): Buffer {
  return hash('sha256', value, 'buffer');
}

/** Who the one static key stands for; an entry of this name stands for the same, so that it can be exchanged as well. */
export const STATIC_SUBJECT = 'static-api-key';

export function toKnownKey({ name, role, digest }: ApiKeyEntry): KnownKey {
  return { digest, role, subject: name === STATIC_SUBJECT ? STATIC_SUBJECT : `api-key:${name}` };
}

/** Keys that callers send as they are. No I/O on the way. */
export class ApiKeyAuthenticator implements Authenticator {
  readonly isGuessProof = false;

  /** @param keys asked anew for each request, so that they can be exchanged meanwhile */
  constructor(private readonly keys: () => readonly KnownKey[]) {}

  authenticate(credential: string): Authentication | null {
    const identity = this.authenticateDigest(sha256(credential));
    return identity && { identity };
  }

  authenticateDigest(given: Buffer): Identity | null {
    let found: KnownKey | null = null;
    // All of them, always: digests have one length, and the time tells neither which was right nor how much of it.
    for (const known of this.keys()) if (timingSafeEqual(known.digest, given)) found ??= known;
    return found && { subject: found.subject, role: found.role };
  }
}
