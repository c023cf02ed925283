import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../support/controller-process';
import { violations, type InvariantOptions } from './invariant';
import { readInvariantState } from './invariant-reader';

const SWEEP_LIMIT_MS = 45_000;
const EVERY_MS = 300;

/** Whether the controllers destroy duplicates and late servers by themselves. */
export async function hasSweep(installation: Pick<Installation, 'query'>): Promise<boolean> {
  const [found] = await installation.query<{ there: boolean }>(
    `SELECT to_regclass('public.orphan_servers') IS NOT NULL AS there`,
  );
  return found?.there === true;
}

/** What breaks the invariant when nothing is under way; where there is a sweep, what it does not put right. */
export async function lastingViolations(
  { installation }: { installation: Installation },
  options: InvariantOptions = {},
): Promise<string[]> {
  const end = Date.now() + ((await hasSweep(installation)) ? SWEEP_LIMIT_MS : 0);
  for (;;) {
    const found = violations(await readInvariantState(installation), options);
    if (found.length === 0 || Date.now() >= end) return found;
    await sleep(EVERY_MS);
  }
}
