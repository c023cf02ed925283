import type { Clock, Logger } from '@agent-controller/kernel';
import type { RateCountsRepository, RateDelta } from './rate-counts.repository';

export const WINDOW_MS = 60_000;
const SHARE_AFTER_MS = 500;
/** Keys that one controller counts at a time; who invents addresses must not fill the memory. */
const MAX_KEYS = 50_000;

export interface Verdict {
  allowed: boolean;
  /** Per window; 0 when there is no limit. */
  limit: number;
  remaining: number;
  /** Until the window ends. */
  resetSeconds: number;
}

interface Count {
  windowStart: number;
  /** Of all controllers, as of the last exchange; ours that was exchanged included. */
  shared: number;
  /** Ours since then. */
  own: number;
}

/**
 * Counts per minute. The count is in memory, so that no request waits for the database; at most every half second a
 * controller adds what it counted to the sums of all, by one statement, and learns those. So all together pass a limit
 * by no more than what the others let through within that half second. While the database is away, each controller
 * counts for itself.
 */
export class RateLimiter {
  readonly #counts = new Map<string, Count>();
  #timer: NodeJS.Timeout | null = null;
  #sharing: Promise<void> | null = null;
  #tidiedAt = 0;
  #isAway = false;

  constructor(
    private readonly repository: Pick<RateCountsRepository, 'add' | 'forgetBefore'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Counts one more. @param limit per minute; 0: no limit, and nothing is counted */
  take(key: string, limit: number): Verdict {
    if (limit === 0) return this.verdict(0, 0);
    const count = this.count(key);
    // What is refused is not counted: who asks too often gets in again when the window ends, and fills no numbers.
    if (count.shared + count.own >= limit) return { ...this.verdict(limit, limit), allowed: false };
    count.own++;
    this.#timer ??= setTimeout(() => void this.share(), SHARE_AFTER_MS).unref();
    return this.verdict(limit, count.shared + count.own);
  }

  /** Whether one more would be refused; counts nothing. */
  peek(key: string, limit: number): Verdict {
    const known = this.#counts.get(key);
    const used = known?.windowStart === this.windowStart() ? known.shared + known.own : 0;
    return { ...this.verdict(limit, Math.min(used, limit)), allowed: limit === 0 || used < limit };
  }

  /** Exchanges the counts now. */
  async share(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    // One at a time: its answer must not be older than what was added meanwhile.
    this.#sharing ??= this.exchange().finally(() => (this.#sharing = null));
    await this.#sharing;
  }

  private async exchange(): Promise<void> {
    const now = this.windowStart();
    const deltas = new Map<string, RateDelta>();
    for (const [key, { windowStart, own }] of this.#counts) {
      if (windowStart !== now) this.#counts.delete(key);
      else if (own > 0) deltas.set(key, { key, windowStart: new Date(now), count: own });
    }
    if (deltas.size === 0) return;
    try {
      for (const { key, windowStart, count } of await this.repository.add([...deltas.values()])) {
        const known = this.#counts.get(key);
        const added = deltas.get(key)?.count ?? 0;
        if (!known || known.windowStart !== windowStart.getTime()) continue;
        known.own -= added;
        known.shared = count;
      }
      this.#isAway = false;
      await this.tidy(now);
    } catch (error) {
      if (!this.#isAway)
        this.logger.warn({ reason: (error as Error).message }, 'rates are counted by each controller alone at present');
      this.#isAway = true;
    }
  }

  private async tidy(now: number): Promise<void> {
    if (this.#tidiedAt === now) return;
    this.#tidiedAt = now;
    await this.repository.forgetBefore(new Date(now - WINDOW_MS));
  }

  private count(key: string): Count {
    const windowStart = this.windowStart();
    const known = this.#counts.get(key);
    if (known?.windowStart === windowStart) return known;
    const count = { windowStart, shared: 0, own: 0 };
    if (!known && this.#counts.size >= MAX_KEYS) this.#counts.delete(this.#counts.keys().next().value ?? '');
    this.#counts.set(key, count);
    return count;
  }

  private windowStart(): number {
    return Math.floor(this.clock.now().getTime() / WINDOW_MS) * WINDOW_MS;
  }

  private verdict(limit: number, used: number): Verdict {
    const passedMs = this.clock.now().getTime() % WINDOW_MS;
    const resetSeconds = Math.ceil((WINDOW_MS - passedMs) / 1000);
    return { allowed: true, limit, remaining: Math.max(0, limit - used), resetSeconds };
  }
}
