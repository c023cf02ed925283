#!/usr/bin/env node
// `npm run sbom`: what this is made of, as CycloneDX JSON, by npm from the lockfile: `production.cdx.json` is what the
// image runs, `all.cdx.json` has the tools as well. `--out FOLDER` instead of `sbom/`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');

/** @param {'production' | 'all'} scope */
export function makeSbom(scope) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // With NODE_ENV=production npm would leave the tools out, and with them what both need: see below.
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only', '--include=dev'];
  const text = execFileSync(npm, [...args, '--loglevel=error'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 27 });
  const sbom = JSON.parse(text);
  // npm takes the folder's name.
  sbom.metadata.component.name = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name;
  return scope === 'all' ? sbom : withoutTools(sbom);
}

/** `npm sbom --omit=dev` (npm 11.19) leaves out what production and tools both need, `pg` among them. */
function withoutTools(sbom) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entries = Object.entries(packages).filter(([path, { dev, devOptional }]) => path && !dev && !devOptional);
  const needed = new Set(entries.flatMap(([path, entry]) => packageIds(path, entry)));
  const components = sbom.components.filter(({ name, version }) => needed.has(`${name}@${version}`));
  const own = sbom.metadata.component['bom-ref'];
  const references = new Set([own, ...components.map((each) => each['bom-ref'])]);
  const dependencies = sbom.dependencies
    .filter(({ ref }) => references.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => references.has(each)) }));
  return { ...sbom, components, dependencies };
}

/** As SBOMs may name it: an alias by its folder, or by what it stands for. */
export function packageIds(path, { name, version }) {
  return [path.split('node_modules/').at(-1), name].filter(Boolean).map((each) => `${each}@${version}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'sbom') } } });
  mkdirSync(values.out, { recursive: true });
  for (const scope of ['production', 'all']) {
    const sbom = makeSbom(scope);
    const file = join(values.out, `${scope}.cdx.json`);
    writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`);
    console.log(`${file}: ${sbom.components.length} components`);
  }
}
