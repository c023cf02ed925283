#!/usr/bin/env node
// `npm run mutants`: makes one error after the other in a copy of the repository, and expects the tests to find each.
// By hand: it takes about half a minute for each. `npm run mutants -- findByOwner` plays those whose name has that word.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { install, requireNode, root } from '../lib/install.mjs';
import { MUTANTS } from './mutants/list.mjs';

requireNode();
install();
const wanted = process.argv.slice(2).join(' ');
const copy = mkdtempSync(join(tmpdir(), 'agent-controller-mutants-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));

copyRepository();
const results = [];
for (const mutant of MUTANTS.filter(({ name }) => name.includes(wanted))) {
  const originals = apply(mutant);
  const { caught, by } = test(mutant);
  for (const [file, text] of originals) writeFileSync(file, text);
  results.push({ name: mutant.name, caught, by });
  console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${mutant.name}${caught ? `: ${by}` : ''}`);
}
const survivors = results.filter(({ caught }) => !caught);
console.log(`\n| mutant | caught by |\n| --- | --- |`);
for (const { name, caught, by } of results) console.log(`| ${name} | ${caught ? by : '**nothing**'} |`);
console.log(`\n${results.length} mutants, ${survivors.length} survived`);
process.exit(survivors.length > 0 || results.length === 0 ? 1 : 0);

/** The files that Git knows, as they are now; what is installed is copied by links. */
function copyRepository() {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of files.toString().split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const modules = [join(root, 'node_modules'), join(copy, 'node_modules')];
  const linked = spawnSync('cp', ['-al', ...modules], { stdio: 'ignore' }).status === 0;
  if (!linked) cpSync(...modules, { recursive: true, force: true, verbatimSymlinks: true });
}

/** @returns the files as they were */
function apply({ name, patches }) {
  const originals = new Map();
  for (const { file, search, replace } of patches) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    if (text.split(search).length !== 2) throw new Error(`${name}: not exactly once in ${file}: ${search}`);
    writeFileSync(
      path,
      text.replace(search, () => replace),
    );
  }
  return originals;
}

/** @returns whether a test failed, and which; a run without any test catches nothing */
function test({ tests, only }) {
  const output = join(copy, 'mutant-result.json');
  rmSync(output, { force: true });
  const jest = join(copy, 'node_modules/jest/bin/jest.js');
  const filter = only ? ['-t', only] : [];
  const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=DeprecationWarning'];
  spawnSync(process.execPath, [...flags, jest, ...tests, ...filter, '--json', `--outputFile=${output}`], {
    cwd: copy,
    stdio: 'ignore',
  });
  const run = JSON.parse(readFileSync(output, 'utf8'));
  const failed = run.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  if (run.numRuntimeErrorTestSuites > 0) throw new Error(`The tests could not run: ${run.testResults[0]?.message}`);
  return { caught: failed.length > 0, by: failed[0] ?? '' };
}
