const SOONEST_MS = 750;
const LATEST_MS = 5_000;
/** What a controller can do beside its steps. */
const LOOKS_PER_SECOND = 300;
/** Of the time already waited: a minute's wait is looked at every second, five minutes' every five. */
const PART = 1 / 60;
/** Who let a look wait for so long is not there at all: its next look would only hold a connection. */
const SLOW_LOOK_MS = 1_000;

export interface FruitlessLook {
  /** How many are looked at. */
  count: number;
  phaseSince: Date;
  began: Date;
  now: Date;
}

/** When to look again at a server that had nothing to say. Jitter keeps those apart that began together. */
export function watchDelayMs({ count, phaseSince, began, now }: FruitlessLook, random = Math.random()): number {
  const waited = now.getTime() - phaseSince.getTime();
  const slow = now.getTime() - began.getTime() >= SLOW_LOOK_MS ? LATEST_MS : 0;
  const wanted = Math.max(SOONEST_MS, (count * 1_000) / LOOKS_PER_SECOND, waited * PART, slow);
  return Math.round(Math.min(LATEST_MS, wanted) * (0.8 + random * 0.2));
}
