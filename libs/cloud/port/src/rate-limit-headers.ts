import type { RequestOutcome } from './request-gate';

/** What an answer says about how often its project may ask. */
export interface RateLimitNews {
  /** Requests in an hour. */
  limit?: number;
  /** How many of them are left. */
  remaining?: number;
  /** From now on. */
  retryAfterMs?: number;
}

const MIN_RETRY_MS = 1_000;
/** No limit of a provider lasts longer, whatever a proxy before it may say. */
const MAX_RETRY_MS = 3_600_000;
/** For an answer 429 that says neither how long to wait nor what is left. */
const DEFAULT_RETRY_MS = 5_000;

/** Reads `RateLimit-Limit`, `RateLimit-Remaining` and `Retry-After`, which both providers send (provider-rules.md). */
export function rateLimitNews({ status, headers = {} }: RequestOutcome, now = Date.now()): RateLimitNews {
  const limit = count(headers['ratelimit-limit']);
  const remaining = count(headers['ratelimit-remaining']);
  const asked = waitMs(headers['retry-after'], now);
  const isBare = status === 429 && asked === undefined && remaining === undefined;
  const retryAfterMs = isBare ? DEFAULT_RETRY_MS : asked;
  return { ...(limit ? { limit } : {}), remaining, retryAfterMs };
}

function count(header: unknown): number | undefined {
  return typeof header === 'string' && /^\d{1,9}$/.test(header.trim()) ? Number(header) : undefined;
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function waitMs(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, ms)) : undefined;
}
