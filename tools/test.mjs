#!/usr/bin/env node
// `npm test`: unit, integration and end-to-end tests, on the embedded PostgreSQL and the cloud emulator.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, requireNode, root } from './lib/install.mjs';

requireNode();
install();
const jest = join(root, 'node_modules/jest/bin/jest.js');
const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=DeprecationWarning'];
const { status } = spawnSync(process.execPath, [...flags, jest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
