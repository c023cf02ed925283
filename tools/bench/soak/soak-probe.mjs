// Loaded before a controller by `--import`, with --expose-gc: at each SIGUSR2 it collects garbage and writes to the file
// that BENCH_PROBE names what is left, what is open, how late the event loop was since the last time, and how many
// statements were sent to the database until now.
import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const { Client } = createRequire(import.meta.url)('pg');
const { query } = Client.prototype;
let statements = 0;
Client.prototype.query = function (...given) {
  statements += 1;
  return query.apply(this, given);
};

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
const file = process.env.BENCH_PROBE;
let round = 0;
process.on('SIGUSR2', () => {
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const loop = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) };
  const { rss } = process.memoryUsage();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const open = {};
  for (const type of process.getActiveResourcesInfo()) open[type] = (open[type] ?? 0) + 1;
  round += 1;
  writeFileSync(`${file}.new`, JSON.stringify({ round, rss, heapUsed, external, loop, open, statements }));
  renameSync(`${file}.new`, file);
  // The collection itself is none of the controller's delays.
  setImmediate(() => delay.reset());
});
