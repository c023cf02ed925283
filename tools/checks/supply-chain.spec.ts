interface Checks {
  isAllowedLicence: (expression: unknown) => boolean;
  manifestProblems: (manifest: object) => string[];
  lockfileProblems: (lockfile: object, manifest: object) => string[];
}
const { isAllowedLicence } = jest.requireActual<Checks>('./licences.mjs');
const { manifestProblems, lockfileProblems } = jest.requireActual<Checks>('./lockfile.mjs');

const integrity = `sha512-${'a'.repeat(86)}==`;
const manifest = { dependencies: { axios: '1.21.1' }, devDependencies: {} };
const lockfile = (packages: object, more: object = {}) => ({
  lockfileVersion: 3,
  packages: { '': manifest, 'node_modules/axios': { version: '1.21.1', integrity }, ...packages },
  ...more,
});

describe('licences', () => {
  it.each(['MIT', '(MIT OR GPL-3.0)', 'GPL-3.0 OR MIT', 'Apache-2.0 AND MIT', '(MIT AND (ISC OR GPL-2.0))'])(
    'allows %s',
    (expression) => expect(isAllowedLicence(expression)).toBe(true),
  );
  it.each([
    ...[
      'GPL-3.0',
      'MIT AND GPL-3.0',
      'SEE LICENSE IN FILE',
      'UNLICENSED',
      '',
      '(MIT',
      'MIT)',
      'MIT MIT',
      'MIT OR',
      'mit',
    ],
    ...[undefined, null, { type: 'MIT' }, ['MIT']],
  ])('does not allow %j', (expression) => expect(isAllowedLicence(expression)).toBe(false));
});

describe('versions', () => {
  it('are exact', () => {
    const overrides = { x: { axios: '$axios', deep: { y: '1.2.3' } } };
    expect(manifestProblems({ ...manifest, overrides })).toEqual([]);
  });
  it.each(['^1.0.0', '~1.0.0', '1.x', '*', 'latest', '>=1.0.0', 'file:../a', 'git+https://h/p.git', 'npm:a@1.0.0', ''])(
    'refuses %j',
    (version) => {
      expect(manifestProblems({ devDependencies: { a: version } })).toHaveLength(1);
      expect(manifestProblems({ overrides: { a: { b: version } } })).toHaveLength(1);
    },
  );
});

describe('the lockfile', () => {
  it('has a hash of everything, and no address', () => {
    expect(lockfileProblems(lockfile({}), manifest)).toEqual([]);
  });
  it.each([
    ['no hash', { version: '1.0.0' }],
    ['a weak hash', { version: '1.0.0', integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }],
    ['an address', { version: '1.0.0', integrity, resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }],
    ['a link', { version: '1.0.0', integrity, link: true }],
    ['a repository', { version: 'git+ssh://git@h/p.git#1', integrity }],
  ])('does not take %s', (_what, entry) => {
    expect(lockfileProblems(lockfile({ 'node_modules/a': entry }), manifest)).toHaveLength(1);
  });
  it('has no second axios for production', () => {
    const old = { version: '0.21.1', integrity };
    expect(lockfileProblems(lockfile({ 'node_modules/a/node_modules/axios': old }), manifest)).toHaveLength(1);
    const ofTools = { 'node_modules/nx/node_modules/axios': { ...old, dev: true } };
    expect(lockfileProblems(lockfile(ofTools), manifest)).toEqual([]);
  });
  it('is that of package.json', () => {
    expect(lockfileProblems(lockfile({}), { ...manifest, dependencies: { axios: '1.21.2' } })).not.toEqual([]);
    expect(lockfileProblems(lockfile({}, { lockfileVersion: 2 }), manifest)).toHaveLength(1);
  });
});
