// Loaded before a controller by `--import`: writes how late its event loop is to the file that BENCH_PROBE names, twice
// a second, and begins anew when that file is gone.
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
const file = process.env.BENCH_PROBE;
let wrote = false;
setInterval(() => {
  if (wrote && !existsSync(file)) delay.reset();
  // What it counts are the times between two timers of its own: that they are so long apart is no delay.
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const { rss, heapUsed } = process.memoryUsage();
  const figures = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max), rss, heapUsed };
  writeFileSync(`${file}.new`, JSON.stringify(figures));
  renameSync(`${file}.new`, file);
  wrote = true;
}, 500).unref();
