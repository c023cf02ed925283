// What package.json and the lockfile must be so that an installation is the one that was tested.
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/** @returns {string[]} what is wrong with package.json */
export function manifestProblems({ dependencies = {}, devDependencies = {}, overrides = {} }) {
  const all = Object.entries({ ...dependencies, ...devDependencies });
  const problems = all.flatMap(([name, version]) =>
    EXACT.test(version) ? [] : `${name}: ${version} is no exact version`,
  );
  const forced = (entry, path) =>
    Object.entries(entry).flatMap(([name, value]) =>
      typeof value === 'object'
        ? forced(value, `${path}${name} > `)
        : EXACT.test(value) || value === `$${name}`
          ? []
          : `override ${path}${name}: ${value} is no exact version`,
    );
  return [...problems, ...forced(overrides, '')];
}

/** @returns {string[]} what is wrong with the lockfile */
export function lockfileProblems({ lockfileVersion, packages }, manifest) {
  const problems = lockfileVersion === 3 ? [] : [`lockfile of version ${lockfileVersion}`];
  const { '': own, ...others } = packages;
  for (const kind of ['dependencies', 'devDependencies']) {
    if (JSON.stringify(own?.[kind]) !== JSON.stringify(manifest[kind]))
      problems.push(`${kind} are not those of package.json`);
  }
  for (const [path, entry] of Object.entries(others)) {
    if (entry.link) problems.push(`${path}: a link`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? ''))
      problems.push(`${path}: no SHA-512 of its content`);
    // Whichever registry is configured is asked: docs/adr/0014-lockfile.md.
    if (entry.resolved !== undefined) problems.push(`${path}: is bound to ${new URL(entry.resolved).protocol}//…`);
    if (!EXACT.test(entry.version ?? '')) problems.push(`${path}: ${entry.version} comes from no registry`);
    // The clients of the providers would bring old ones along.
    if (!entry.dev && /(^|\/)node_modules\/axios$/.test(path) && entry.version !== manifest.dependencies.axios)
      problems.push(`${path}: ${entry.version} in place of ${manifest.dependencies.axios}`);
  }
  return problems;
}
