import { CloudError, type GatedRequest, type RequestLimits, type RequestPurpose } from '@agent-controller/cloud-port';
import type { BudgetState } from './budget.repository';

/** What of each limit must be left. */
export interface Shares {
  hour: number;
  minute: number;
}

/**
 * How much of each limit a purpose leaves to those after it: deletion works longest. Nothing is urgent about `confirm`, so it
 * leaves a minute's limit to all others; an hour's can be short for long. Between what it leaves and what `delete` leaves
 * there is enough for the two requests more of each step that a controller has under way (ADR 0018).
 */
export const FLOOR_SHARES: Record<RequestPurpose, Shares> = {
  look: { hour: 0.5, minute: 0.5 },
  create: { hour: 0.1, minute: 0.1 },
  confirm: { hour: 0.04, minute: 0.65 },
  delete: { hour: 0.02, minute: 0.02 },
};

/**
 * The same for an order while servers that were ordered before are waited for. Above where looks stop by what these need:
 * without it, orders would take each request that comes back, and nobody would see that those servers run, which are billed.
 */
export const YIELD_SHARE = 0.6;

const WORDS: Record<RequestPurpose, string> = {
  look: 'looking at servers waits',
  create: 'ordering waits',
  confirm: 'proving that servers are gone waits',
  delete: 'even deleting waits',
};

const SOONEST_MS = 1_000;
/** Somebody may be let through, or the provider may give more, sooner than is calculated. */
const LATEST_MS = 30_000;
/** The request that tries an open circuit is mostly back by then. */
const PROBE_MS = 2_000;

/** Why a request may not be sent now, for the caller; null when it may. */
export function budgetRefusal(
  state: BudgetState,
  { purpose, listsKeys }: GatedRequest,
  limits: RequestLimits,
  provider: string,
  shares: Shares = FLOOR_SHARES[purpose],
): CloudError | null {
  if (state.isOpen && (state.isProbing || state.retryMs > 0)) {
    const message = `${provider} did not answer several requests in a row: nothing is sent until it answers again`;
    const retryAfterMs = state.isProbing ? PROBE_MS : within(state.retryMs, Infinity);
    return new CloudError('unavailable', message, { retryAfterMs });
  }
  if (state.blockedMs > 0) {
    const seconds = Math.ceil(state.blockedMs / 1000);
    return limited(`${provider} asks to wait ${seconds} s`, within(state.blockedMs, Infinity));
  }
  const floor = FLOOR_SHARES[purpose];
  const waits =
    shares.hour > floor.hour || shares.minute > floor.minute
      ? `${WORDS[purpose]} for looks at what was ordered before`
      : WORDS[purpose];
  const { hourLimit, hourLeft } = state;
  const left = Math.max(0, Math.floor(hourLeft));
  const hourMs = refillMs(hourLimit * shares.hour + 1 - hourLeft, hourLimit / 3600);
  if (hourMs > 0) {
    const message = `${provider}: ${left} of ${hourLimit} requests an hour are left, so ${waits}`;
    return limited(message, within(hourMs, LATEST_MS));
  }
  const { perMinute, keyListsPerMinute } = limits;
  const minuteMs = perMinute
    ? refillMs(perMinute.atOnce * shares.minute + 1 - state.minuteLeft, perMinute.refill / 60)
    : 0;
  const keysMs = listsKeys && keyListsPerMinute ? refillMs(1 - state.keyListsLeft, keyListsPerMinute.refill / 60) : 0;
  const waitMs = Math.max(minuteMs, keysMs);
  return waitMs > 0
    ? limited(`${provider}: too many requests within a minute, so ${waits}`, within(waitMs, Infinity))
    : null;
}

function limited(message: string, retryAfterMs: number): CloudError {
  return new CloudError('rate-limited', message, { retryAfterMs });
}

function refillMs(missing: number, perSecond: number): number {
  return missing > 0 ? (missing / perSecond) * 1000 : 0;
}

function within(ms: number, latestMs: number): number {
  return Math.ceil(Math.min(latestMs, Math.max(SOONEST_MS, ms)));
}
