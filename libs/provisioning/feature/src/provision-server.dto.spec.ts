import 'reflect-metadata';
import { RESERVED_VARIABLES } from '@agent-controller/provisioning-bootstrap';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { ProvisionServerDto } from './provision-server.dto';

/** The rules as the app's validation pipe applies them: every error by field, one or more messages each. */
function errorsOf(body: object): ValidationError[] {
  return validateSync(plainToInstance(ProvisionServerDto, body), {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  });
}

function problems(body: object): Record<string, string> {
  return Object.fromEntries(
    errorsOf(body).map(({ property, constraints = {} }) => [property, Object.values(constraints).join(' | ')]),
  );
}

const minimal = { providerType: 'hetzner', serverType: 'cx23', authenticationType: 'api_key' };
const keycloak = {
  ...minimal,
  authenticationType: 'keycloak',
  keycloakClientId: 'agent-manager',
  keycloakClientSecret: `quotes '" dollars $$ and\nlines # all`,
};
const complete = {
  ...minimal,
  name: 'team-agent',
  description: 'The agent of the web team',
  location: 'fsn1',
  apiKey: 'a-key',
  agentWsPort: 8443,
  gitRepositoryUrl: 'https://git.example.com/team/project.git',
  gitUsername: 'robot',
  gitToken: `'"$HOME$(id)\`\n#`,
  gitPrivateKey: '-----BEGIN KEY-----\nabc\n-----END KEY-----\n',
  cursorApiKey: 'cursor',
  agentDefaultImage: `registry.example.com:5000/worker@sha256:${'0123'.repeat(16)}`,
  environment: { GIT_COMMIT_AUTHOR_NAME: 'Agent', EMPTY: '', _X9: '$' },
};
const TEXT_LIMITS: Record<string, number> = {
  providerType: 64,
  serverType: 64,
  location: 64,
  keycloakClientId: 1024,
  keycloakRealm: 255,
  gitUsername: 1024,
  gitRepositoryUrl: 2048,
  agentDefaultImage: 512,
  description: 16_384,
  keycloakClientSecret: 16_384,
  gitToken: 16_384,
  gitPassword: 16_384,
  gitPrivateKey: 16_384,
  cursorApiKey: 16_384,
};
/** As long as is wanted, and by the field's grammar. */
const longText = (field: string, length: number) =>
  (field === 'gitRepositoryUrl' ? 'https://h/' : '').padEnd(length, 'x');
/** A body in which the field may stand. */
const around = (field: string) => (field.startsWith('keycloak') ? keycloak : minimal);

describe('ProvisionServerDto accepts', () => {
  it.each([
    ['the required fields alone', minimal],
    ['all fields with an API key', complete],
    ['Keycloak with the defaults of the controller', keycloak],
    [
      'Keycloak with a server of its own',
      { ...keycloak, keycloakRealm: 'agents', keycloakAuthServerUrl: 'https://login.example.com/auth' },
    ],
    ['a password instead of a token', { ...minimal, gitPassword: 'password' }],
    ['a Git URL by SSH', { ...minimal, gitRepositoryUrl: 'git@git.example.com:team/project.git' }],
    ['an empty environment', { ...minimal, environment: {} }],
  ])('%s', (_what, body) => {
    expect(problems(body)).toEqual({});
  });

  it.each(Object.entries(TEXT_LIMITS))('%s of %i bytes, and not one more', (field, limit) => {
    expect(problems({ ...around(field), [field]: longText(field, limit) })).toEqual({});
    expect(problems({ ...around(field), [field]: longText(field, limit + 1) })).toEqual({
      [field]: `must not be longer than ${limit} bytes`,
    });
  });

  it('the values unchanged', () => {
    expect({ ...plainToInstance(ProvisionServerDto, complete) }).toEqual(complete);
  });
});

describe('ProvisionServerDto refuses', () => {
  it('a body without anything, with one entry per required field', () => {
    expect(problems({})).toEqual({
      providerType: 'is required',
      serverType: 'is required',
      authenticationType: 'must be one of: api_key, keycloak',
    });
  });

  it.each(['unknown', 'apikey', 'userData', 'isAutoProvisioned', 'owner'])('the unknown field %s', (field) => {
    const [error, ...others] = errorsOf({ ...minimal, [field]: 'x' });
    expect(others).toEqual([]);
    expect(error?.property).toBe(field);
    expect(Object.keys(error?.constraints ?? {})).toEqual(['whitelistValidation']);
  });

  it.each(Object.keys(TEXT_LIMITS))('%s that cannot be carried to a server', (field) => {
    const problem = (value: unknown) => problems({ ...around(field), [field]: value });
    expect(problem('a\0b')).toEqual({ [field]: 'must not contain a NUL character' });
    expect(problem('a\ud800b')[field]).toMatch(/^must be well-formed Unicode/);
    expect(problem('')[field]).toMatch(/^must not be empty/);
    for (const value of [null, 5, true, ['x'], { x: 'x' }]) {
      expect(problem(value)).toEqual({ [field]: 'must be a string' });
    }
  });

  it.each(['API_KEY', 'api-key', '', null, 5, ['api_key']])('the authentication type %j', (authenticationType) => {
    expect(problems({ ...minimal, authenticationType })).toEqual({
      authenticationType: 'must be one of: api_key, keycloak',
    });
  });

  it('a name that is no hostname label, an API key that fits in no header', () => {
    expect(problems({ ...minimal, name: 'Team Agent', apiKey: 'a\r\nb' })).toEqual({
      name: expect.stringMatching(/^must be a hostname label/),
      apiKey: expect.stringMatching(/^must be 1 to 4096 printable ASCII/),
    });
  });

  it.each([22, 3000, 0, 65_536, 1.5, '8080', null])('the WebSocket port %j', (agentWsPort) => {
    expect(Object.keys(problems({ ...minimal, agentWsPort }))).toEqual(['agentWsPort']);
  });

  it('token and password together, once', () => {
    expect(problems({ ...minimal, gitToken: 'token', gitPassword: 'password' })).toEqual({
      gitPassword: 'must not be given together with gitToken: give one of both',
    });
  });

  it('a Git URL that holds a password', () => {
    expect(Object.keys(problems({ ...minimal, gitRepositoryUrl: 'https://me:pass@git.example.com/x' }))).toEqual([
      'gitRepositoryUrl',
    ]);
  });
});

describe('ProvisionServerDto and the kind of authentication', () => {
  it('misses what Keycloak needs', () => {
    expect(problems({ ...minimal, authenticationType: 'keycloak' })).toEqual({
      keycloakClientId: 'is required',
      keycloakClientSecret: 'is required',
    });
  });

  it.each([
    ['keycloakClientId', 'x'],
    ['keycloakClientSecret', 'x'],
    ['keycloakRealm', 'x'],
    ['keycloakAuthServerUrl', 'https://login.example.com'],
  ])('refuses %s beside api_key', (field, value) => {
    expect(problems({ ...minimal, [field]: value })).toEqual({
      [field]: "may be given only with authenticationType 'keycloak'",
    });
  });

  it('refuses an API key beside keycloak', () => {
    expect(problems({ ...keycloak, apiKey: 'x' })).toEqual({
      apiKey: "may be given only with authenticationType 'api_key'",
    });
  });

  it.each(['login.example.com', 'ftp://a', 'https://u:p@login.example.com', 'https://a/?b', 5])(
    'refuses the auth server %j',
    (keycloakAuthServerUrl) => {
      expect(problems({ ...keycloak, keycloakAuthServerUrl })['keycloakAuthServerUrl']).toMatch(/^must be a URL/);
    },
  );
});

describe('ProvisionServerDto and the environment', () => {
  it.each(RESERVED_VARIABLES)('leaves %s to the controller', (name) => {
    expect(problems({ ...minimal, environment: { [name]: 'x' } })).toEqual({
      environment: `must not set ${name}: the controller sets it from its own fields`,
    });
  });

  it.each([[[]], [null], ['A=b'], [5], [{ a: 'lower case' }], [{ A: 1 }], [{ A: { B: 'c' } }], [{ A: null }]])(
    'refuses %j',
    (environment) => {
      expect(Object.keys(problems({ ...minimal, environment }))).toEqual(['environment']);
    },
  );
});

describe('ProvisionServerDto errors', () => {
  const SECRET = 'Sup3rS3cret';

  it('name every wrong field once and show no value', () => {
    const everything = Object.fromEntries(
      [...Object.keys(TEXT_LIMITS), 'name', 'apiKey', 'keycloakAuthServerUrl', 'agentWsPort', 'unknown'].map(
        (field) => [field, `${SECRET} \0`],
      ),
    );
    const errors = errorsOf({ ...everything, authenticationType: SECRET, environment: { A: `${SECRET}\0` } });
    const fields = errors.map(({ property }) => property);
    expect(new Set(fields).size).toBe(fields.length);
    expect([...fields].sort()).toEqual([...Object.keys(everything), 'authenticationType', 'environment'].sort());
    for (const { constraints } of errors) expect(Object.keys(constraints ?? {})).toHaveLength(1);
    expect(JSON.stringify(errors)).not.toContain(SECRET);
  });

  it.each(['gitToken', 'gitPassword', 'gitPrivateKey', 'cursorApiKey', 'apiKey', 'keycloakClientSecret'])(
    'do not show what stands in %s',
    (field) => {
      const body = { ...around(field), [field]: `${SECRET}\0` };
      expect(Object.keys(problems(body))).toEqual([field]);
      expect(JSON.stringify(errorsOf(body))).not.toContain(SECRET);
    },
  );
});

describe('fallback and protected', () => {
  const choices = (fallback: unknown, more: object = {}) => problems({ ...minimal, ...more, fallback })['fallback'];
  const entry = { serverType: 'cx33', location: 'hel1' };
  const other = { serverType: 'cx33', location: 'nbg1' };

  it('takes a list of choices', () => {
    expect(choices([])).toBeUndefined();
    expect(choices([entry, other])).toBeUndefined();
    expect(choices(Array.from({ length: 10 }, (_, index) => ({ ...entry, location: `l${index}` })))).toBeUndefined();
  });

  it.each([
    ['cx33', 'must be an array'],
    [null, 'must be an array'],
    [Array.from({ length: 11 }, (_, index) => ({ ...entry, location: `l${index}` })), 'more than 10'],
    [[entry, other, entry], 'entry [2] is an earlier entry'],
    [[1, 2], 'must have only objects'],
  ])('refuses %j', (fallback, message) => {
    expect(choices(fallback)).toContain(message);
  });

  it('refuses what is ordered in the first place, where its location is named', () => {
    const same = { serverType: 'cx23', location: 'fsn1' };
    expect(choices([entry, same], { location: 'fsn1' })).toContain('entry [1] is what is ordered in the first place');
    expect(choices([entry, same])).toBeUndefined();
  });

  it('names the field of an entry that is wrong', () => {
    const [error] = errorsOf({ ...minimal, fallback: [entry, { serverType: 5, price: 1 }] });
    const fields = error?.children?.flatMap(({ property, children = [] }) =>
      children.map((child) => `${property}.${child.property}`),
    );
    expect(fields?.sort()).toEqual(['1.location', '1.price', '1.serverType']);
  });

  it('takes true and false for protected, and nothing else', () => {
    for (const value of [true, false]) expect(problems({ ...minimal, protected: value })).toEqual({});
    for (const value of ['true', 1, null]) {
      expect(problems({ ...minimal, protected: value })).toEqual({ protected: 'must be true or false' });
    }
  });
});
