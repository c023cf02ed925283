// Exact versions, a hash of every package, no registry's address, licences that are allowed, and an SBOM that names all.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/install.mjs';
import { makeSbom, packageIds } from '../sbom.mjs';
import { isAllowedLicence } from './licences.mjs';
import { lockfileProblems, manifestProblems } from './lockfile.mjs';

const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const manifest = read('package.json');
const lockfile = read('package-lock.json');
const packages = Object.entries(lockfile.packages).filter(([path]) => path !== '');
const production = packages.filter(([, { dev, devOptional }]) => !dev && !devOptional);

/** What the package itself says wins: the lockfile may be older than a change of licence. */
function licenceProblem([path, { license, optional }]) {
  const file = join(root, path, 'package.json');
  // Binaries of other platforms.
  if (!existsSync(file)) return optional && isAllowedLicence(license) ? [] : `${path}: is not installed`;
  const own = JSON.parse(readFileSync(file, 'utf8')).license;
  return isAllowedLicence(own) ? [] : `${path}: the licence ${JSON.stringify(own)} is not allowed`;
}

/** The form of CycloneDX, and that nothing is missing. */
function sbomProblems(scope, expected) {
  const { bomFormat, specVersion, serialNumber, metadata, components, dependencies } = makeSbom(scope);
  const problems = [];
  if (bomFormat !== 'CycloneDX' || !/^1\.\d+$/.test(specVersion)) problems.push('is no CycloneDX');
  if (!/^urn:uuid:[0-9a-f-]{36}$/.test(serialNumber)) problems.push('has no serial number');
  if (metadata.component.name !== manifest.name) problems.push('is of something else');
  const references = new Set([metadata.component['bom-ref'], ...components.map((each) => each['bom-ref'])]);
  for (const { type, name, version, purl, hashes } of components) {
    if (
      type !== 'library' ||
      !version ||
      !purl?.startsWith('pkg:npm/') ||
      !hashes?.some(({ alg }) => alg === 'SHA-512')
    )
      problems.push(`${name} is not described`);
  }
  for (const { ref, dependsOn = [] } of dependencies) {
    if (![ref, ...dependsOn].every((each) => references.has(each)))
      problems.push(`${ref} depends on what is not in it`);
  }
  const named = new Set(components.map(({ name, version }) => `${name}@${version}`));
  for (const [path, entry] of expected) {
    const ids = packageIds(path, entry);
    if (!ids.some((id) => named.has(id))) problems.push(`${ids[0]} is missing`);
  }
  return problems.map((problem) => `SBOM (${scope}): ${problem}`);
}

const problems = [
  ...manifestProblems(manifest),
  ...lockfileProblems(lockfile, manifest),
  ...production.flatMap(licenceProblem),
  ...sbomProblems(
    'production',
    production.filter(([, { optional, peer }]) => !optional && !peer),
  ),
  ...sbomProblems(
    'all',
    packages.filter(([, { optional, peer }]) => !optional && !peer),
  ),
];
for (const problem of problems) console.error(`- ${problem}`);
console.log(`${packages.length} packages, ${production.length} of them for production: ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
