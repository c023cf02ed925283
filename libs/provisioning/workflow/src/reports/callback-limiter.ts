import { hash } from 'node:crypto';

/** A stage takes seconds at least: more reports than this are not a server's. */
const BURST = 30;
const REFILL_PER_SECOND = 1;
const MAX_IDS = 10_000;

/**
 * A token bucket per provisioning and token: who knows the id alone takes nothing from the server. Each controller counts for
 * itself: it only keeps a mad server from the database.
 */
export class CallbackLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @returns null, or the seconds after which one more is taken */
  take(provisioningId: string, token: string, nowMs: number): number | null {
    const id = `${provisioningId} ${hash('sha256', token, 'base64url')}`;
    const known = this.#buckets.get(id);
    const refilled = known ? known.tokens + ((nowMs - known.at) / 1000) * REFILL_PER_SECOND : BURST;
    const tokens = Math.min(BURST, refilled);
    // The one that was used longest ago goes first.
    this.#buckets.delete(id);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= MAX_IDS && oldest !== undefined) this.#buckets.delete(oldest);
    this.#buckets.set(id, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: nowMs });
    return tokens >= 1 ? null : Math.ceil((1 - tokens) / REFILL_PER_SECOND);
  }
}
