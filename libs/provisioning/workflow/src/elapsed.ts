/**
 * Milliseconds since this call, as the caller's process may have been frozen or its machine asleep: the monotonic clock
 * may stand still meanwhile, and the wall clock may be set. The larger of both counts.
 */
export function stopwatch(): () => number {
  const monotonic = performance.now();
  const wall = Date.now();
  return () => Math.max(performance.now() - monotonic, Date.now() - wall);
}
