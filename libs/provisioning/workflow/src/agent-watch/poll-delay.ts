const SOONEST_MS = 500;
const LATEST_MS = 5_000;

/**
 * When to look at a server again: soon at first, then after a tenth of the time already waited, so that what the looks
 * add stays small beside the wait itself. Jitter keeps servers that started together apart.
 */
export function pollDelayMs(since: Date, now: Date, random = Math.random()): number {
  const waited = Math.max(0, now.getTime() - since.getTime());
  const delay = Math.min(LATEST_MS, Math.max(SOONEST_MS, waited / 10));
  return Math.round(delay * (0.8 + random * 0.2));
}
