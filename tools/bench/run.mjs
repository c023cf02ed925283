#!/usr/bin/env node
// `npm run bench -- NAME [--option value]`: docs/benchmarks.md says what each measures and what it found.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { install, requireNode } from '../lib/install.mjs';
import { conditions } from './table.mjs';

requireNode();
install();
const folder = new URL('./benchmarks/', import.meta.url);
const [name = '', ...args] = process.argv.slice(2);
const file = new URL(`${name}.mjs`, folder);
if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
  const names = (await readdir(folder)).map((each) => each.replace('.mjs', '')).sort();
  console.error(`Which benchmark? One of: ${names.join(', ')}.`);
  process.exit(1);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const { options, run } = await import(file.href);
const { values } = parseArgs({ args, options });
const under = conditions();
const [how, table] = await run(values);
console.log(`\n${under}. ${how}.\n\n${table}`);
process.exit(0);
