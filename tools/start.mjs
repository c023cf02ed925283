#!/usr/bin/env node
// `npm start`: the whole system on this machine, from a fresh clone. Ctrl-C ends everything that it started.
import { install, requireNode } from './lib/install.mjs';

requireNode();
install();
const { startSystem } = await import('./lib/system.mjs');
await startSystem();
