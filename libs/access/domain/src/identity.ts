import type { Role } from '@agent-controller/kernel';

/** Who holds a credential. */
export interface Identity {
  subject: string;
  /** Null: known, but without any role here. */
  role: Role | null;
}

/** Why a credential is not accepted. */
export interface Rejection {
  /** For people; never a part of the credential. */
  reason: string;
  /** False when the credential was genuine once, so that nobody tries to guess one. */
  isGuess: boolean;
}

export type Authentication = { identity: Identity } | { rejection: Rejection };

/** One way to prove who calls. */
export interface Authenticator {
  /** Whether nobody can come upon a good credential by trying: signatures. Keys may have been chosen by people. */
  readonly isGuessProof: boolean;
  /** Null: this is no credential of its kind. At once where nobody has to be asked. */
  authenticate(credential: string): Authentication | null | Promise<Authentication | null>;
  /** The same by the credential's SHA-256, where that is all that is known of the right ones. */
  authenticateDigest?(digest: Buffer): Identity | null;
}
