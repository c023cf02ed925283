/** Stable, machine-readable error codes. Each maps to one HTTP status in the app's problem filter. */
export const ERROR_STATUS = {
  'validation-failed': 400,
  'malformed-body': 400,
  'malformed-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'quota-exceeded': 403,
  'not-found': 404,
  'client-not-found': 404,
  'provider-not-found': 404,
  'orphan-not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'name-taken': 409,
  'client-is-provisioned': 409,
  'not-retryable': 409,
  'secrets-wiped': 409,
  'client-protected': 409,
  'provider-not-configured': 409,
  'order-under-way': 409,
  'server-has-row': 409,
  'provisioning-exists': 409,
  'idempotency-key-gone': 410,
  'orphan-gone': 410,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'server-type-unknown': 422,
  'server-type-unavailable': 422,
  'location-unknown': 422,
  'location-unavailable': 422,
  'image-unknown': 422,
  'image-unsuitable': 422,
  'ssh-key-unknown': 422,
  'ssh-key-ambiguous': 422,
  'user-data-too-large': 422,
  'host-not-allowed': 422,
  'idempotency-key-reused': 422,
  'rate-limited': 429,
  'too-many-requests': 429,
  'headers-too-large': 431,
  'internal-error': 500,
  'provisioning-failed': 502,
  'provider-refused': 502,
  'provider-unavailable': 503,
  'service-unavailable': 503,
  'identity-provider-unavailable': 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One wrong field: `field` is a dotted path into the body or query, `message` says what is wrong and what is right. */
export interface FieldError {
  field: string;
  message: string;
}

export interface AppErrorOptions {
  errors?: FieldError[];
  /** Further members of the problem document. Never a secret. */
  extensions?: Record<string, unknown>;
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An error that a caller may see: its message is written for people and holds no secret. */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly options: AppErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
  }
}
