/** One server that is waited for, in milliseconds. */
export interface Waiting {
  /** Since the order was accepted. */
  ageMs: number;
  /** Since the provider last said anything about it. */
  unseenMs: number;
  /** Its clock stands still until the provider answers again. */
  isPaused: boolean;
  /** It was heard of from itself: the provider will say so as well. */
  speaks?: boolean;
}

export interface LastLook {
  agoMs: number;
  /** What it cost. */
  requests: number;
}

export interface Circumstances {
  /** How long boots took at least, lately; null when nobody knows. */
  usualMs: number | null;
  /** Null before the first. */
  lastLook: LastLook | null;
  /** As `crowdOf` tells: how many share what a look costs. */
  crowd: number;
  /** What was not seen for longer is looked at even when it is not due. */
  staleMs: number;
}

export interface LookPlan {
  /** Until there may be more to say: somebody may begin to wait before the next look is due. */
  waitMs: number;
  /** Whom to look at now, by their places; nobody before `waitMs` is over. */
  due: number[];
  /** Whether only who runs by now is of interest. */
  runningOnly: boolean;
}

const SOONEST_MS = 750;
/** With many to be seen, each look brings more. */
const CROWD_SOONEST_MS = 850;
/** While several may begin to run at any moment. */
const EXPECTANT_MS = 2_000;
const LATEST_MS = 5_000;
/** So few that each may be worth some requests more. */
const FEW = 10;
/** Requests that looking may cost for each server that is waited for. */
const REQUESTS_EACH = 0.35;
const CROWD_FADES_MS = 60_000;
/** Four times what Hetzner's budget brings: not for long, since most of a boot nothing is due. */
const MS_PER_REQUEST = 250;
/** Boots that are quicker than all before must not wait for long. */
const ANYWAY_MS = 15_000;
const PART_OF_USUAL = 0.8;
const EARLIER_MS = 1_000;

/**
 * When to look, and at whom: not before servers usually begin to run, then often enough that waiting adds little, in
 * proportion to what a look costs and to how many share it, and less and less often for what takes longer than usual.
 */
export function planLook(waiting: readonly Waiting[], circumstances: Circumstances): LookPlan {
  const { usualMs, lastLook, staleMs } = circumstances;
  const dueAfterMs = usualMs === null ? 0 : Math.max(0, usualMs * PART_OF_USUAL - EARLIER_MS);
  const places = waiting.map((_, place) => place);
  const isStale = ({ unseenMs, isPaused }: Waiting) => isPaused || unseenMs >= staleMs;
  const agoMs = lastLook?.agoMs ?? Infinity;
  const due = places.filter((place) => {
    const one = waiting[place];
    return one !== undefined && (one.ageMs >= dueAfterMs || one.speaks === true || isStale(one));
  });
  if (due.length === 0) {
    const oldestMs = Math.max(...waiting.map(({ ageMs }) => ageMs));
    const silentMs = Math.min(agoMs, oldestMs);
    if (silentMs < ANYWAY_MS) return later(Math.min(dueAfterMs - oldestMs, ANYWAY_MS - silentMs));
    return { waitMs: SOONEST_MS, due: places, runningOnly: true };
  }
  const awaited = due.flatMap((place) => waiting[place] ?? []);
  const intervalMs = lookIntervalMs(awaited, dueAfterMs, circumstances);
  if (agoMs < intervalMs) return later(intervalMs - agoMs);
  return { waitMs: Math.min(CROWD_SOONEST_MS, intervalMs), due, runningOnly: !awaited.some(isStale) };
}

/** How many wait, or lately did: the last of a crowd must not wait longer than the first. */
export function crowdOf(count: number, before: { crowd: number; agoMs: number } | null): number {
  return Math.max(count, before ? before.crowd * Math.exp(-before.agoMs / CROWD_FADES_MS) : 0);
}

function later(ms: number): LookPlan {
  return { waitMs: Math.max(1, Math.min(SOONEST_MS, ms)), due: [], runningOnly: true };
}

function lookIntervalMs(
  awaited: readonly Waiting[],
  dueAfterMs: number,
  { usualMs, lastLook, crowd }: Circumstances,
): number {
  const requests = Math.max(1, lastLook?.requests ?? 1);
  const youngestMs = Math.min(...awaited.map(({ ageMs }) => ageMs));
  // A boot's time, as far as it is known, has so many requests for all who wait through it.
  const fairMs = (requests * Math.max(usualMs ?? 0, youngestMs)) / (REQUESTS_EACH * crowd);
  const soonestMs = crowd < FEW ? SOONEST_MS : CROWD_SOONEST_MS;
  const patienceMs = Math.min(LATEST_MS, Math.max(soonestMs, (youngestMs - dueAfterMs) / 4));
  const latestMs = Math.max(patienceMs, crowd < FEW ? soonestMs : EXPECTANT_MS);
  return Math.max(MS_PER_REQUEST * requests, Math.min(latestMs, Math.max(soonestMs, fairMs)));
}
