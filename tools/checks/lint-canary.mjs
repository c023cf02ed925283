// Plants one violation of each import rule and expects lint to refuse it: a rule that is skipped silently is no rule.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/install.mjs';

const CANARIES = [
  [
    'cloud-hetzner',
    'libs/cloud/hetzner/src/canary.ts',
    "import { Client } from '@agent-controller/clients';\nexport const canary = Client;\n",
  ],
  [
    'cloud-digital-ocean',
    'libs/cloud/digital-ocean/src/canary.ts',
    "import { Injectable } from '@nestjs/common';\nexport const canary = Injectable;\n",
  ],
  [
    'provisioning-feature',
    'libs/provisioning/feature/src/canary.ts',
    "import { DataSource } from 'typeorm';\nexport const canary = DataSource;\n",
  ],
  [
    'provisioning-workflow',
    'libs/provisioning/workflow/src/canary.ts',
    "import type { ClientView } from '@agent-controller/contracts';\nexport type Canary = ClientView;\n",
  ],
  ['kernel', 'libs/shared/kernel/src/canary.ts', "export const canary = process.env['HOME'];\n"],
];

let failed = 0;
for (const [project, path, source] of CANARIES) {
  const file = join(root, path);
  writeFileSync(file, source);
  try {
    const { status, stdout } = spawnSync('node_modules/.bin/nx', ['run', `${project}:lint`, '--skip-nx-cache'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
    });
    const isCaught = status !== 0 && /enforce-module-boundaries|no-restricted-properties/.test(stdout);
    console.log(`${isCaught ? 'refused' : 'NOT REFUSED'}: ${path}`);
    if (!isCaught) failed++;
  } finally {
    rmSync(file, { force: true });
  }
}
process.exit(failed === 0 ? 0 : 1);
