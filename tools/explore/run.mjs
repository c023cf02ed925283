#!/usr/bin/env node
// `npm run explore`: random sequences of requests, faults, kills and database restarts against three real controllers,
// the invariant checked after each. docs/explorer.md says more.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { install, requireNode, root } from '../lib/install.mjs';
import { startExplorerServices } from './services.mjs';

const DEFAULT_RUNS = 200;
const NO_LIMIT = 10 ** 9;

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    'shrink-minutes': { type: 'string', default: '5' },
    'without-database': { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});

requireNode();
install();
const isOne = values.seed !== undefined && values.runs === undefined && values.minutes === undefined;
const minutes = values.minutes === undefined ? NO_LIMIT : Number(values.minutes);
const services = await startExplorerServices();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const { Explorer } = createRequire(import.meta.url)(
  join(root, 'dist/apps/agent-controller-e2e/src/explore/explorer.js'),
);
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(values.seed);
const began = Date.now();
console.log(`explorer: seeds from ${firstSeed}`);
let report = { seeds: 0, played: 0, failures: [] };
let broken = null;
try {
  report = await new Explorer({
    firstSeed,
    runs: isOne ? 1 : Number(values.runs ?? (values.minutes === undefined ? DEFAULT_RUNS : NO_LIMIT)),
    limitMs: minutes * 60_000,
    path: values.path,
    shrinkMs: Number(values['shrink-minutes']) * 60_000,
    restartDatabase: services.restartDatabase,
    withDatabase: !values['without-database'],
    log: console.log,
  }).explore();
} catch (error) {
  broken = error;
  console.error(error);
} finally {
  await services.stop();
}
const { seeds, played, failures } = report;
if (values.report !== undefined) {
  const file = resolve(root, values.report);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ firstSeed, ...report }));
}
const seconds = Math.round((Date.now() - began) / 1000);
console.log(
  `explorer: ${seeds} seeds from ${firstSeed} ran in ${seconds} s (${played} sequences); ` +
    `${failures.length} failed${failures.length > 0 ? `: ${failures.map(({ seed }) => seed).join(', ')}` : ''}`,
);
process.exit(broken !== null || failures.length > 0 || seeds === 0 ? 1 : 0);
