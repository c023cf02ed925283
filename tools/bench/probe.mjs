import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('./event-loop-probe.mjs', import.meta.url));
let probes = 0;

/** A controller whose event loop and memory can be looked at from outside. */
export async function startProbed(stage, { env = {}, nodeFlags = [], ...options } = {}) {
  const file = join(stage.folder, `probe-${++probes}.json`);
  const controller = await stage.startController({
    ...options,
    env: { ...env, BENCH_PROBE: file },
    nodeFlags: ['--import', MODULE, ...nodeFlags],
  });
  return {
    ...controller,
    /** Figures count from here. */
    reset: () => rmSync(file, { force: true }),
    /** Milliseconds of delay, and bytes. */
    probe: () => JSON.parse(readFileSync(file, 'utf8')),
    /** The most that it ever held. */
    peakMiB: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${controller.pid}/status`, 'utf8'))[1]) / 1024,
  };
}
