const SOONEST_MS = 750;
const LATEST_MS = 5_000;
/** What a controller can do beside its steps. */
const LOOKS_PER_SECOND = 300;
/** Of the time already waited: a minute's wait is looked at every second, five minutes' every five. */
const PART = 1 / 60;
/** Who let a look wait for so long is not there at all: its next look would only hold a connection. */
const SLOW_LOOK_MS = 1_000;
/** In a crowd: one that is quicker than all before must not wait for long. */
const ANYWAY_MS = 15_000;
const PART_OF_USUAL = 0.9;
const EARLIER_MS = 250;

/** How many wait, in this phase or the other, and how many of them for as long as it takes, or nearly. */
export interface WaitingCrowd {
  count: number;
  due: number;
}

export interface FruitlessLook {
  crowd: WaitingCrowd;
  /** As `dueAfterMs` tells. */
  dueAfterMs: number;
  phaseSince: Date;
  began: Date;
  now: Date;
}

/** From when on a server may have something to say. @param usualMs how long its phase takes at least, lately */
export function dueAfterMs(usualMs: number | null): number {
  return usualMs === null ? 0 : Math.max(0, usualMs * PART_OF_USUAL - EARLIER_MS);
}

/**
 * When to look again at a server that had nothing to say. In a crowd the looks that there are go to those that are due;
 * with few it costs nothing to look at each. Jitter keeps those apart that began together.
 */
export function watchDelayMs(look: FruitlessLook, random = Math.random()): number {
  const { crowd, phaseSince, began, now } = look;
  const waited = now.getTime() - phaseSince.getTime();
  const untilDueMs = look.dueAfterMs - waited;
  if (isCrowded(crowd) && untilDueMs > SOONEST_MS) return Math.min(ANYWAY_MS, Math.round(untilDueMs));
  const slow = now.getTime() - began.getTime() >= SLOW_LOOK_MS ? LATEST_MS : 0;
  const wanted = Math.max(SOONEST_MS, perLookMs(crowd.due), waited * PART, slow);
  return Math.round(Math.min(LATEST_MS, wanted) * (0.8 + random * 0.2));
}

/** When to look first at one whose phase begins: at once, unless many wait. */
export function firstDelayMs(crowd: WaitingCrowd, dueMs: number): number {
  return isCrowded(crowd) ? Math.min(ANYWAY_MS, Math.round(dueMs)) : 0;
}

function isCrowded({ count }: WaitingCrowd): boolean {
  return perLookMs(count) > SOONEST_MS;
}

function perLookMs(count: number): number {
  return (count * 1_000) / LOOKS_PER_SECOND;
}
