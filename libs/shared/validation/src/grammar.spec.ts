import fc from 'fast-check';
import { isCatalogueId, isCommitEmail, isCommitName, isGitUrl, isImageReference, isRealmName } from './grammar';

const HEX = 'a1'.repeat(32);
// What a shell, YAML, Compose, a header or a line of a file could misread.
const MARKS = [
  '\n',
  '\r',
  '\0',
  '\t',
  ' ',
  '$',
  '`',
  '"',
  "'",
  '\\',
  '#',
  ';',
  '|',
  '<',
  '>',
  '{',
  '}',
  '\u202e',
  '\u2028',
];
const GRAMMARS: [string, (value: string) => boolean, string[], string[]][] = [
  [
    'image',
    isImageReference,
    [
      ...['caddy', 'caddy:2-alpine', 'library/caddy', 'ghcr.io/forepath/agenstra-manager-worker:latest'],
      ...['localhost:5000/a', 'registry.example.com:5000/a/b_c/d__e/f--g.h:v1.2_3', `a@sha256:${HEX}`],
      ...[`[::1]:5000/a:1@sha256:${HEX}`, 'EXAMPLE.com/a', `a@sha512:${HEX}${HEX}`, `a:${'t'.repeat(128)}`],
    ],
    [
      ...[
        '',
        ':',
        'a:',
        'a@',
        'a@sha256:12',
        `a@md5:${HEX}`,
        'A',
        'a/B',
        '/a',
        'a/',
        'a//b',
        'a___b',
        '-a',
        'a-',
        '.a',
      ],
      ...['a:b:c', `a:${'t'.repeat(129)}`, 'a:-b', 'https://a/b', 'host:port/a', 'a b', 'ä', 'a:1\n', '--privileged'],
    ],
  ],
  [
    'Git URL',
    isGitUrl,
    [
      ...['https://git.example.com/team/project.git', 'http://10.0.0.1:8080/~me/p', 'https://[2001:db8::1]:8443/p.git'],
      ...[
        'https://git.example.com/a:b@c/project',
        'https://bücher.example/ä/b%20c',
        'ssh://git@git.example.com:2222/p.git',
      ],
      ...[
        'git@git.example.com:team/project.git',
        'git.example.com:team/p.git',
        'git@[::1]:p',
        'me+x@h:~/p',
        '/srv/git/p.git',
      ],
      ...['HTTPS://GIT.EXAMPLE.COM/p', 'ssh://host/p', 'git@host:/srv/p'],
    ],
    [
      ...[
        '',
        'project',
        './project',
        '-u',
        '--upload-pack=touch /tmp/x',
        'ext::sh -c id',
        'fd::17',
        'file:///etc/passwd',
      ],
      ...[
        'ssh://-oProxyCommand=id/p',
        'ssh://-o@h/p',
        '-oProxyCommand=id:p',
        'git@-h:p',
        'git@h:-p',
        'git://h/p',
        'ftp://h/p',
      ],
      ...[
        'https://h/p?x=1',
        'https://h/p#x',
        'https://h',
        'https:///p',
        'https://h:0/p',
        'https://h:65536/p',
        'https://h/a b',
      ],
      ...[
        'https://h/p\n',
        'https://h\\p',
        'https:h/p',
        'https//h/p',
        'h:',
        ':p',
        'javascript:alert(1)//',
        'https://-h/p',
        'a\u202eb:p',
      ],
    ],
  ],
  [
    'id of a catalogue',
    isCatalogueId,
    ['cx23', 's-1vcpu-1gb', 'fsn1', 'debian-13', 'ubuntu-24.04', '4711', 'CPX11'],
    ['', '-a', '.a', '../a', 'a/b', 'a b', 'a\n', 'сх23', 'a%2f', 'a?b', 'a:b', '__proto__'],
  ],
  [
    'realm',
    isRealmName,
    ['master', 'My Realm', 'agents-2.x_y', 'Bücher', '日本'],
    ['.', '..', 'a/b', 'a?b', 'a#b', 'a%2fb', ' a', 'a ', 'a\n', 'a\0', 'a\\b', 'a"b', 'a\u202eb', 'a$b'],
  ],
  [
    'name of an author',
    isCommitName,
    ['Agent', 'Ä. O’Neil (bot)', "it's $HOME", '日本'],
    ['', ' ', 'a\nb', 'a <b', 'a>', 'a\0', 'a\u202eb'],
  ],
  [
    'e-mail',
    isCommitEmail,
    ['agent@example.com', 'a.b+c@localhost', "o'neil@bücher.example"],
    ['', 'a', '@b', 'a@', 'a@b@c', 'a b@c', 'a@b\n', '<a@b>', 'a@b>', 'a,b@c', `${'a'.repeat(65)}@b`],
  ],
];

describe.each(GRAMMARS)('%s', (_what, fits, good, bad) => {
  it.each(good)('takes %j', (value) => expect(fits(value)).toBe(true));
  it.each(bad)('refuses %j', (value) => expect(fits(value)).toBe(false));

  it('is over in no time, whatever it is given', () => {
    // A grammar that tries every way would not come to an end here.
    for (const part of ['a', 'a-', 'a.', 'a/', 'a:', '-', '.', '/', 'a@', '_', '😀', 'ä'])
      for (const end of ['', '!', '\n']) expect(typeof fits(`${part.repeat(2_000)}${end}`)).toBe('boolean');
  });
});

describe('what could be misread', () => {
  const mark = fc.constantFrom(...MARKS);
  it.each([
    ['an image', 'ghcr.io/team/worker:1', isImageReference],
    ['an id', 'debian-13', isCatalogueId],
  ] as const)('is in no place of %s', (_what, sound, fits) => {
    fc.assert(
      fc.property(mark, fc.nat({ max: sound.length }), (each, place) => {
        expect(fits(sound.slice(0, place) + each + sound.slice(place))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('is in no place of a Git URL, but for what may stand in paths, and lines have no end', () => {
    const inPaths = ['$', "'", ';'];
    fc.assert(
      fc.property(mark, fc.nat({ max: 40 }), (each, place) => {
        const sound = 'https://git.example.com/team/project.git';
        const value = sound.slice(0, place) + each + sound.slice(place);
        const isInPath = place >= 'https://git.example.com/'.length && inPaths.includes(each);
        expect(isGitUrl(value)).toBe(isInPath);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never makes any text a text of two lines', () => {
    const any = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(any, any, fc.constantFrom('\n', '\r', '\0', '\u001b', '\u202e'), (one, two, each) => {
        for (const [, fits] of GRAMMARS) expect(fits(one + each + two)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});
