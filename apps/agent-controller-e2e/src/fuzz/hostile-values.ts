/** Texts that something between the caller and the server could misread. JSON can hold them all. */
export const TRICKY_TEXTS: Record<string, string> = {
  blank: '   ',
  'white space around': ' a ',
  control: 'a\u0001\u001b[31m\u007f',
  newline: 'a\nb',
  'header injection': 'a\r\nX-Injected: 1',
  'right-to-left override': 'a\u202egpj.exe',
  isolates: '\u2066a\u2069',
  'zero width': 'a\u200bb\u200d',
  'byte order mark': '\ufeffa',
  combining: `e${'\u0301'.repeat(40)}`,
  decomposed: 'u\u0308',
  homoglyph: 'сх23',
  'full width': 'ａｄｍｉｎ',
  'Turkish i': 'İı',
  'line separator': 'a\u2028b\u2029',
  'next line': 'a\u0085b',
  noncharacter: '\uffff\ufdd0',
  astral: '𝒶😀',
  SQL: "'; DROP TABLE clients; --",
  shell: '$(id)`id`${IFS};|&',
  template: '{{7*7}}${7*7}#{7*7}',
  YAML: '!!js/function > - : # | &a *a',
  path: '../../etc/passwd',
  'encoded path': '..%2f..%2fetc%00',
  HTML: '<script>alert(1)</script>',
  format: '%s%n%x',
  number: '1e309',
  'negative zero': '-0',
  null: 'null',
  prototype: '__proto__',
  constructor: 'constructor',
};

/** Texts that no field takes. */
export const BROKEN_TEXTS: Record<string, string> = {
  NUL: 'a\0b',
  'high surrogate': 'a\ud83d',
  'low surrogate': '\ude00a',
  huge: 'x'.repeat(20_000),
  'huge in bytes': 'ä'.repeat(16_000),
};

/** Values of each kind that JSON has, by kind. */
export const VALUES_BY_TYPE: Record<string, unknown[]> = {
  null: [null],
  boolean: [true, false],
  number: [0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 31)],
  string: ['', 'x'],
  array: [[], [[]], [null], ['x', 5]],
  object: [{}, { $gt: '' }, { length: 1 }, { toJSON: 'x' }, { a: { b: { c: {} } } }],
};

/** Where a path, put in the place of a parameter, could lead elsewhere. As they go over the wire. */
export const PATH_TRICKS = [
  ...['..%2f..%2fclients', '%2e%2e', '%00', 'a%00b', '%', '%zz', '%c0%af', '%ff', '%ed%a0%80', '%E2%80%AE'],
  ...['a;x=1', 'a%3bx', 'a%2f', 'a%5cb', '..\\..', '%250a', '%0d%0aX-Injected:%201', '*', '~', '%20', '%F0%9F%98%80'],
  ...['x'.repeat(101), 'x'.repeat(5_000), '0', '-1', '1e3', 'null', 'undefined', '__proto__', 'constructor', ':id'],
];

export const QUERY_TRICKS = [
  ...['limit=1&limit=2', 'limit[]=1', 'limit[a]=1', 'limit=%00', 'limit=1e2', 'limit=-1', 'limit=99999999999999999999'],
  ...['cursor=%00', 'cursor=__proto__', 'cursor=%ff', 'owner=%00', 'owner=%ed%a0%80', 'owner=%E2%80%AEx', 'owner='],
  ...['__proto__=1', '__proto__[x]=1', 'constructor=1', 'hasOwnProperty=1', 'unknown=1', '=', '&&&', '%', '%ff=%ff'],
  ...['refresh=true&refresh=true', 'refresh=TRUE', 'location=%00', 'since=0000-00-00', 'since=%2B275761-01-01'],
  ...[
    'abandon=yes',
    'abandon=true',
    'reason=x',
    'abandon=true&reason=%00',
    'abandon=true&reason=%20',
    'x'.repeat(8_000),
  ],
];

/** Headers as Node lets them through. */
export const HEADER_TRICKS: Record<string, string>[] = [
  { prefer: 'wait=-1' },
  { prefer: 'wait=1e3' },
  { prefer: 'wait="0"' },
  { prefer: 'wait=0, wait=9' },
  { prefer: 'wait=\u00e4' },
  { prefer: `respond-async${', x'.repeat(2_000)}` },
  { 'last-event-id': '-1' },
  { 'last-event-id': '99999999999999' },
  { 'last-event-id': '\u00e4' },
  { 'last-event-id': '1, 2' },
  { 'idempotency-key': '' },
  { 'idempotency-key': '\u00e4' },
  { 'idempotency-key': 'a b' },
  { 'idempotency-key': 'a\tb' },
  { 'idempotency-key': 'x'.repeat(256) },
  { accept: 'text/event-stream, */*;q=0.1' },
  { accept: 'x/y' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'multipart/form-data; boundary=x' },
  { 'content-type': ';;;' },
  { 'content-encoding': 'gzip' },
  { 'x-forwarded-for': '\u00e4, 1, ::' },
  { 'x-http-method-override': 'DELETE' },
  { authorization: 'Bearer' },
  { authorization: 'Bearer \u00e4' },
  { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` },
  { host: 'evil.example' },
  { expect: 'x' },
];
