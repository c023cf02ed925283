#!/usr/bin/env node
// `npm run rotate-keys`: seals everything in the database anew with the first of ENCRYPTION_KEYS (docs/operations.md, Keys).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { install, requireNode, root } from './lib/install.mjs';

requireNode();
install();
await build();
const program = join(root, 'dist/apps/agent-controller/src/rotate-keys.js');
const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
