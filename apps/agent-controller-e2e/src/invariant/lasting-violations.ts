import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../support/controller-process';
import { violations, type InvariantOptions } from './invariant';
import { readInvariantState } from './invariant-reader';

const SWEEP_LIMIT_MS = 45_000;
const EVERY_MS = 300;

/** What breaks the invariant when nothing is under way, and the sweep does not put right. */
export async function lastingViolations(
  { installation }: { installation: Installation },
  options: InvariantOptions = {},
): Promise<string[]> {
  const end = Date.now() + SWEEP_LIMIT_MS;
  for (;;) {
    const found = violations(await readInvariantState(installation), options);
    if (found.length === 0 || Date.now() >= end) return found;
    await sleep(EVERY_MS);
  }
}
