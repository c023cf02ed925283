import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;
let groups = 0;

/**
 * Leaves a process that share of one processor, as a small machine of its own would have it: by the kernel's control groups,
 * in either version. Linux and root only.
 * @param share 0.25 is a quarter
 * @returns takes the group away once the process has ended
 */
export function limitProcessor(pid, share) {
  const isUnified = existsSync(join(ROOT, 'cgroup.controllers'));
  const group = join(ROOT, isUnified ? '' : 'cpu', `agent-controller-bench-${process.pid}-${++groups}`);
  mkdirSync(group);
  const quota = Math.round(share * PERIOD_US);
  if (isUnified) writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD_US}`);
  else {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quota));
  }
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return async () => {
    for (let n = 0; n < 50; n++) {
      try {
        return rmdirSync(group);
      } catch {
        await sleep(100);
      }
    }
  };
}
