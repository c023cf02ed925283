#!/usr/bin/env node
// `npm run check`: everything that CI runs. `--except-tests`: all but `npm test`.
import { spawnSync } from 'node:child_process';
import { install, requireNode, root } from './lib/install.mjs';

const node = process.execPath;
const bin = (name) => `node_modules/.bin/${name}`;
const STEPS = [
  ['dependencies: versions, hashes, licences, SBOM', node, 'tools/checks/supply-chain.mjs'],
  ['format', bin('prettier'), '--check', '--log-level=warn', '.'],
  ['lint, with module boundaries', bin('nx'), 'run-many', '-t', 'lint', '--output-style=stream'],
  ['the rules of lint bite', node, 'tools/checks/lint-canary.mjs'],
  ['types', bin('tsc'), '-p', 'tsconfig.json', '--noEmit'],
  ['build', node, 'tools/build.mjs'],
  ['migrations', node, 'tools/checks/migrations.mjs'],
  ['20,000 random requests', node, 'tools/fuzz/run.mjs'],
  ['unit, integration and end-to-end tests', node, 'tools/test.mjs'],
];

requireNode();
install();
const withoutTests = process.argv.includes('--except-tests');
for (const [name, command, ...args] of withoutTests ? STEPS.slice(0, -1) : STEPS) {
  console.log(`\n== ${name}`);
  const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) {
    console.error(`\n${name}: failed`);
    process.exit(status ?? 1);
  }
}
console.log('\nAll checks passed.');
