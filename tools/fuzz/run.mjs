#!/usr/bin/env node
// `npm run fuzz`: random requests to every route of a real controller, made from its OpenAPI document; every answer is
// compared with it. The same seed sends the same requests.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startExplorerServices } from '../explore/services.mjs';
import { install, requireNode, root } from '../lib/install.mjs';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string' } },
});

requireNode();
install();
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(values.seed);
console.log(`fuzz: ${values.requests} requests with seed ${seed}`);
const began = Date.now();
const services = await startExplorerServices();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const { Fuzzer } = createRequire(import.meta.url)(join(root, 'dist/apps/agent-controller-e2e/src/fuzz/fuzzer.js'));
let failed = 1;
try {
  const report = await new Fuzzer({
    requests: Number(values.requests),
    seed,
    heapProbe: new URL('heap-probe.mjs', import.meta.url).href,
    log: console.log,
  }).fuzz();
  const { problems, statuses, operations, heap, sent } = report;
  for (const [name, { sent: count, accepted }] of Object.entries(operations))
    console.log(`  ${String(count).padStart(6)} ${String(accepted).padStart(6)} accepted  ${name}`);
  const megabytes = (bytes) => (bytes / 1024 / 1024).toFixed(1);
  console.log(`  answers: ${JSON.stringify(statuses)}`);
  console.log(`  heap in use: ${megabytes(heap.middle)} MB half way, ${megabytes(heap.end)} MB at the end`);
  for (const problem of problems) console.error(`- ${problem}`);
  failed = problems.length + (sent < Number(values.requests) ? 1 : 0);
  console.log(
    `fuzz: ${sent} requests with seed ${seed} in ${Math.round((Date.now() - began) / 1000)} s; ${problems.length} problems`,
  );
} catch (error) {
  console.error(error);
} finally {
  await services.stop();
}
process.exit(failed === 0 ? 0 : 1);
