#!/usr/bin/env node
// `npm run boot-lab -- --all | --ci | --only NAME[,NAME] [-t TEST]`: builds the lab when needed, then runs its scenarios one by one.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { install, requireNode, root } from '../lib/install.mjs';

const TOOLS = ['debootstrap', 'qemu-system-x86_64', 'qemu-img', 'socat', 'mke2fs', 'openssl', 'gpg', 'ssh', 'setpriv'];
const PACKAGES =
  'debootstrap qemu-system-x86 qemu-utils socat e2fsprogs openssl gpg gpg-agent openssh-client util-linux';
/** Scenarios are files `<name>.lab-spec.ts`; in CI some of their tests only. */
const CI = {
  files: ['good-path', 'failures', 'compose-config'],
  tests: 'good path|image that does not exist|compose',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean' },
    ci: { type: 'boolean' },
    only: { type: 'string' },
    test: { type: 'string', short: 't' },
  },
});
if (!values.all && !values.ci && !values.only) end('npm run boot-lab -- --all | --ci | --only NAME[,NAME]');
requireNode();
if (process.platform !== 'linux' || process.getuid() !== 0) end('The boot lab needs Linux and root.');
const missing = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
if (missing.length > 0)
  end(`Missing: ${missing.join(', ')}. On Debian: apt-get install --no-install-recommends ${PACKAGES}`);
install();

const built = spawnSync(join(root, 'tools/boot-lab/build.sh'), [], {
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
});
if (built.status !== 0) end('tools/boot-lab/build.sh failed; its messages are above.');
const lab = built.stdout.trim().split('\n').at(-1);

const results = join(root, '.test-results/boot-lab');
mkdirSync(results, { recursive: true });
const files = values.only ? values.only.split(',') : values.ci ? CI.files : [''];
const words = [
  ...files.map((file) => `lab/${file}`),
  ...(values.ci ? ['-t', CI.tests] : []),
  ...(values.test ? ['-t', values.test] : []),
  ...positionals,
];
const { status } = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    '--runInBand',
    ...words,
    '--json',
    '--outputFile',
    join(results, 'jest.json'),
  ],
  {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
    env: { ...process.env, BOOT_LAB: lab, BOOT_LAB_RESULTS: results },
  },
);
console.log(`Results and timings: ${results}`);
process.exit(status ?? 1);

function end(message) {
  console.error(message);
  process.exit(2);
}
