/**
 * What went wrong at a provider, by what the caller can do about it:
 * - `auth`: the token is wrong, revoked or read-only; a person must act.
 * - `invalid`: the provider refuses the request as it stands.
 * - `not-found`: no such thing in this token's project.
 * - `conflict`: something else is going on with the thing (locked, pending event), or its unique name is taken.
 * - `quota`: an account limit.
 * - `capacity`: the provider has no room for this type at this location now.
 * - `rate-limited`: too many requests; see `retryAfterMs`.
 * - `unavailable`: the request surely had no effect, and may be repeated later.
 * - `outcome-unknown`: a request that changes something got no clear answer. Look (`findByOwner`) before doing anything else.
 */
export const CLOUD_ERROR_KINDS = [
  'auth',
  'invalid',
  'not-found',
  'conflict',
  'quota',
  'capacity',
  'rate-limited',
  'unavailable',
  'outcome-unknown',
] as const;

export type CloudErrorKind = (typeof CLOUD_ERROR_KINDS)[number];

export interface CloudErrorDetails {
  /** The provider's own code or id, such as `resource_limit_exceeded`. */
  providerCode?: string;
  /** The provider's id of the request, for its support. */
  requestId?: string;
  /** How long the provider asks to wait. */
  retryAfterMs?: number;
}

/** The only error that a CloudProvider throws. It never carries the original error, which may hold the token. */
export class CloudError extends Error {
  override readonly name = 'CloudError';
  readonly providerCode?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;

  constructor(
    readonly kind: CloudErrorKind,
    message: string,
    details: CloudErrorDetails = {},
  ) {
    super(message);
    this.providerCode = details.providerCode;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
  }
}
