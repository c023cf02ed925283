import { setTimeout as sleep } from 'node:timers/promises';

/** Returns early, and without an error, when the controller stops. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
}
