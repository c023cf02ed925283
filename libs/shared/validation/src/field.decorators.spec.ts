import 'reflect-metadata';
import { validateSync } from 'class-validator';
import {
  BelongsTo,
  IsAbsentOr,
  IsBaseUrl,
  IsClientName,
  IsHeaderToken,
  IsWebSocketPort,
  NotTogetherWith,
} from './field.decorators';
import { IsText } from './text.decorator';

/** What is wrong with an object, by field: one message each, as callers see it. */
function problems(object: object): Record<string, string> {
  const errors = validateSync(object, { stopAtFirstError: true, forbidUnknownValues: true });
  return Object.fromEntries(
    errors.map((error) => [error.property, Object.values(error.constraints ?? {}).join(' | ')]),
  );
}

/** An instance of a class with one decorated field. */
function withField(decorator: PropertyDecorator, value: unknown): object {
  class Body {
    field: unknown;
  }
  decorator(Body.prototype, 'field');
  return Object.assign(new Body(), { field: value });
}

function isAccepted(decorator: PropertyDecorator, value: unknown): boolean {
  return problems(withField(decorator, value))['field'] === undefined;
}

describe('IsAbsentOr', () => {
  class Body {
    @IsAbsentOr()
    @IsText()
    field: unknown;
  }
  const problem = (value: unknown) => problems(Object.assign(new Body(), { field: value }))['field'];

  it('lets an absent field pass', () => {
    expect(problems(new Body())).toEqual({});
    expect(problem(undefined)).toBeUndefined();
  });

  it('checks one that is there', () => {
    expect(problem('good')).toBeUndefined();
    expect(problem('')).toMatch(/must not be empty/);
  });

  it('does not take null for absent', () => {
    expect(problem(null)).toBe('must be a string');
  });
});

describe('IsClientName', () => {
  it.each(['a', '7', 'team-agent', 'a--b', 'xn--bcher-kva', 'a'.repeat(63)])('accepts %j', (name) => {
    expect(isAccepted(IsClientName(), name)).toBe(true);
  });

  it.each([
    '',
    '-a',
    'a-',
    'A',
    'a_b',
    'a.b',
    'a b',
    'ä',
    'a\n',
    '\na',
    '../etc',
    'a'.repeat(64),
    null,
    undefined,
    5,
    ['a'],
    { length: 1 },
  ])('refuses %j', (name) => {
    expect(problems(withField(IsClientName(), name))).toEqual({
      field: 'must be a hostname label: 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends',
    });
  });
});

describe('IsHeaderToken', () => {
  it.each(['x', 'abc-DEF_123', `!"#$%&'()*+,/:;<=>?@[]^\`{|}~`, 'x'.repeat(4096)])('accepts %j', (token) => {
    expect(isAccepted(IsHeaderToken(), token)).toBe(true);
  });

  it.each(['', 'a b', 'a\tb', 'a\r\nX-Injected: 1', 'a\n', 'ä', '\u007f', '\0', 'x'.repeat(4097), null, 5, ['x']])(
    'refuses %j',
    (token) => {
      expect(problems(withField(IsHeaderToken(), token))['field']).toMatch(/^must be 1 to 4096 printable ASCII/);
    },
  );
});

describe('IsBaseUrl', () => {
  it.each([
    'https://login.example.com',
    'http://127.0.0.1:8080/',
    'https://[2001:db8::1]:8443/auth',
    'https://bücher.example/a/b',
    'HTTPS://LOGIN.EXAMPLE.COM',
  ])('accepts %j', (url) => {
    expect(isAccepted(IsBaseUrl(), url)).toBe(true);
  });

  it.each([
    '',
    'login.example.com',
    '//login.example.com',
    'ftp://login.example.com',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://',
    'https://user@login.example.com',
    'https://user:password@login.example.com',
    'https://login.example.com/?a=b',
    'https://login.example.com/#a',
    `https://login.example.com/${'a'.repeat(2048)}`,
    null,
    5,
    ['https://login.example.com'],
  ])('refuses %j', (url) => {
    expect(problems(withField(IsBaseUrl(), url))).toEqual({
      field: 'must be a URL such as https://… or http://…, without user, query and fragment',
    });
  });

  // A URL parser forgives these, but a path appended to the text would not end up in the path.
  it.each([
    'https://login.example.com?',
    'https://login.example.com/#',
    'https://@login.example.com',
    ' https://login.example.com',
    'https://login.example.com\n',
    'https://login.\texample.com',
    'https:login.example.com',
    'https:\\\\login.example.com',
  ])('refuses %j, which is not the URL that it is taken for', (url) => {
    expect(isAccepted(IsBaseUrl(), url)).toBe(false);
  });

  it('takes only the protocols that the field names', () => {
    expect(isAccepted(IsBaseUrl(['https:']), 'https://a.example')).toBe(true);
    expect(problems(withField(IsBaseUrl(['https:']), 'http://a.example'))).toEqual({
      field: 'must be a URL such as https://…, without user, query and fragment',
    });
  });
});

describe('IsWebSocketPort', () => {
  it.each([1, 21, 23, 80, 2999, 3001, 8080, 65_535])('accepts %j', (port) => {
    expect(isAccepted(IsWebSocketPort(), port)).toBe(true);
  });

  it.each([22, 3000, 0, -1, 65_536, 80.5, NaN, Infinity, '8080', null, undefined, [8080]])('refuses %j', (port) => {
    expect(problems(withField(IsWebSocketPort(), port))).toEqual({
      field: 'must be a port number from 1 to 65535, but not 22 (SSH) and not 3000 (REST)',
    });
  });
});

describe('BelongsTo', () => {
  class Body {
    authenticationType: unknown;

    @BelongsTo('api_key', { required: false })
    @IsHeaderToken()
    apiKey: unknown;

    @BelongsTo('keycloak', { required: true })
    @IsText()
    secret: unknown;
  }
  const wrong = (body: Partial<Body>) => problems(Object.assign(new Body(), body));

  it('accepts the fields of the kind, and an optional one that is left out', () => {
    expect(wrong({ authenticationType: 'api_key' })).toEqual({});
    expect(wrong({ authenticationType: 'api_key', apiKey: 'key' })).toEqual({});
    expect(wrong({ authenticationType: 'keycloak', secret: 'secret' })).toEqual({});
  });

  it('misses a required field of the kind', () => {
    expect(wrong({ authenticationType: 'keycloak' })).toEqual({ secret: 'is required' });
  });

  it('checks a field of the kind as its own decorators say', () => {
    expect(wrong({ authenticationType: 'api_key', apiKey: 'two words' })['apiKey']).toMatch(/^must be 1 to 4096/);
    expect(wrong({ authenticationType: 'keycloak', secret: '' })['secret']).toMatch(/^must not be empty/);
    expect(wrong({ authenticationType: 'keycloak', secret: null })).toEqual({ secret: 'must be a string' });
  });

  it('refuses the fields of another kind', () => {
    expect(wrong({ authenticationType: 'api_key', secret: 'secret' })).toEqual({
      secret: "may be given only with authenticationType 'keycloak'",
    });
    expect(wrong({ authenticationType: 'keycloak', secret: 'secret', apiKey: 'key' })).toEqual({
      apiKey: "may be given only with authenticationType 'api_key'",
    });
  });

  it('does not let null slip in beside another kind', () => {
    expect(Object.keys(wrong({ authenticationType: 'api_key', secret: null }))).toEqual(['secret']);
  });

  it('requires nothing where the kind is not known', () => {
    expect(wrong({})).toEqual({});
    expect(wrong({ authenticationType: 'oauth' })).toEqual({});
    expect(Object.keys(wrong({ authenticationType: 'oauth', apiKey: 'key', secret: 'x' }))).toEqual([
      'apiKey',
      'secret',
    ]);
  });
});

describe('NotTogetherWith', () => {
  class Body {
    token: unknown;

    @IsAbsentOr()
    @NotTogetherWith('token')
    password: unknown;
  }
  const wrong = (body: Partial<Body>) => problems(Object.assign(new Body(), body));

  it.each([{}, { token: 'x' }, { password: 'x' }])('accepts %j', (body) => {
    expect(wrong(body)).toEqual({});
  });

  it('refuses both, once', () => {
    expect(wrong({ token: 'x', password: 'y' })).toEqual({
      password: 'must not be given together with token: give one of both',
    });
  });

  it('counts null as given', () => {
    expect(Object.keys(wrong({ token: null, password: 'y' }))).toEqual(['password']);
  });
});
