import { Secret } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError, ENV_VARIABLES, parseEnv } from './env';

const KEY = randomBytes(32).toString('base64');
const required = {
  DATABASE_URL: 'postgres://me:pass@db.example.com:5432/agents',
  ENCRYPTION_KEYS: KEY,
  AUTHENTICATION_METHOD: 'api-key',
  STATIC_API_KEY: 'a-key-of-more-than-16-characters',
};

/** The lines of the message with which a start is refused. */
function problems(variables: Record<string, string | undefined>): string[] {
  try {
    parseEnv(variables);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    const [title, ...lines] = (error as Error).message.split('\n');
    expect(title).toBe('Wrong configuration:');
    return lines.map((line) => line.replace(/^ {2}- /, ''));
  }
  return [];
}

describe('parseEnv', () => {
  it('needs four variables and has defaults for the others', () => {
    const env = parseEnv(required);
    expect(env).toMatchObject({
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: 3100,
      AGENT_MANAGER_IMAGE: 'ghcr.io/forepath/agenstra-manager-api:latest',
      POSTGRES_IMAGE: 'postgres:16-alpine',
      PROXY_IMAGE: 'caddy:2-alpine',
      SERVER_IMAGE_HETZNER: 'debian-13',
      SERVER_IMAGE_DIGITALOCEAN: 'debian-13-x64',
      PROVISIONING_TIMEOUT_SECONDS: 1200,
      HEALTH_CHECK_INTERVAL_SECONDS: 300,
      PROVIDER_TIMEOUT_SECONDS: 30,
      LEASE_SECONDS: 10,
      HEARTBEAT_SECONDS: 5,
      AGENT_CONNECTIONS: 50,
      LOG_LEVEL: 'info',
    });
    expect(env.HETZNER_API_TOKEN).toBeUndefined();
    expect(env.CORS_ORIGIN).toBeUndefined();
  });

  it('takes a variable that is set to nothing for one that is not set', () => {
    const empty = Object.fromEntries(ENV_VARIABLES.map((name) => [name, '']));
    expect(parseEnv({ ...empty, ...required })).toEqual(parseEnv(required));
  });

  it('reads numbers, and several keys', () => {
    const second = randomBytes(32).toString('base64');
    const env = parseEnv({
      ...required,
      PORT: '0',
      PROVISIONING_TIMEOUT_SECONDS: '60',
      ENCRYPTION_KEYS: `${KEY}, ${second}`,
    });
    expect([env.PORT, env.PROVISIONING_TIMEOUT_SECONDS]).toEqual([0, 60]);
    expect(env.ENCRYPTION_KEYS.map((key) => key.toString('base64'))).toEqual([KEY, second]);
  });

  it('keeps tokens from being printed', () => {
    const env = parseEnv({ ...required, HETZNER_API_TOKEN: 'Sup3rS3cret', DIGITALOCEAN_API_TOKEN: 'Sup3rS3cret' });
    for (const secret of [env.STATIC_API_KEY, env.HETZNER_API_TOKEN, env.DIGITALOCEAN_API_TOKEN]) {
      expect(secret).toBeInstanceOf(Secret);
    }
    expect(JSON.stringify(env) + inspect(env, { depth: 9 })).not.toContain('Sup3rS3cret');
    expect(env.HETZNER_API_TOKEN?.reveal()).toBe('Sup3rS3cret');
  });
});

describe('parseEnv without a required variable', () => {
  it.each([
    ['DATABASE_URL', 'a PostgreSQL URL: postgres://user:password@host:5432/database'],
    ['ENCRYPTION_KEYS', 'base64 of 32 bytes (openssl rand -base64 32)'],
    ['AUTHENTICATION_METHOD', 'api-key'],
    ['STATIC_API_KEY', 'a secret of 16 characters or more, ASCII without spaces (openssl rand -hex 32)'],
  ])('names %s, what it is and how to get it', (name, kind) => {
    const line = `${name}: is missing; set it to ${kind}`;
    expect(problems({ ...required, [name]: undefined })).toEqual([line]);
    expect(problems({ ...required, [name]: '' })).toEqual([line]);
    expect(problems({ ...required, [name]: undefined, NODE_ENV: 'production' })).toEqual([line]);
  });

  it('names all at once', () => {
    expect(problems({}).map((line) => line.split(':')[0])).toEqual(Object.keys(required));
  });
});

describe('parseEnv with ways to authenticate', () => {
  const { STATIC_API_KEY: _key, ...others } = required;
  const entry = `deploy:operator:${'a'.repeat(64)}`;

  it.each([{ API_KEYS: entry }, { API_KEYS_FILE: '/run/secrets/api-keys' }])('needs no static key with %j', (keys) => {
    expect(problems({ ...others, ...keys })).toEqual([]);
  });

  it('reads keys by their digests', () => {
    const { API_KEYS: keys } = parseEnv({ ...others, API_KEYS: entry });
    expect(keys).toEqual([{ name: 'deploy', role: 'operator', digest: Buffer.from('a'.repeat(64), 'hex') }]);
  });

  it.each(['keycloak', 'api-key,keycloak'])('needs issuer and audience for %s', (AUTHENTICATION_METHOD) => {
    const given = { ...required, AUTHENTICATION_METHOD };
    expect(problems(given).map((line) => line.replace(/;.*/, ''))).toEqual([
      'OIDC_ISSUER_URL: is missing',
      'OIDC_AUDIENCE: is missing',
    ]);
    const issuer = { OIDC_ISSUER_URL: 'https://id.example.com/realms/agents', OIDC_AUDIENCE: 'agent-controller' };
    expect(problems({ ...given, ...issuer })).toEqual([]);
    expect(problems({ ...given, ...issuer, STATIC_API_KEY: '' })).toHaveLength(
      AUTHENTICATION_METHOD === 'keycloak' ? 0 : 1,
    );
    expect(problems({ ...given, ...issuer, OIDC_ISSUER_URL: 'http://127.0.0.1:8080', NODE_ENV: 'production' })).toEqual(
      ['OIDC_ISSUER_URL: must be https in production; the cloud emulator is for development only'],
    );
  });
});

describe('parseEnv with a wrong value', () => {
  const wrong: [string, string, RegExp][] = [
    ['NODE_ENV', 'staging-qqq', /development, production or test/],
    ['PORT', 'qqq', /a port number, such as 3100/],
    ['PORT', '70000', /a port number, such as 3100/],
    ['PORT', '-7', /a port number, such as 3100/],
    ['PORT', '-31.77', /a port number, such as 3100/],
    ['DATABASE_URL', 'mysql://qqq', /a PostgreSQL URL: postgres:/],
    ['DATABASE_URL', 'postgres://qqq db', /a PostgreSQL URL: postgres:/],
    ['DATABASE_DIRECT_URL', 'qqq', /a PostgreSQL URL: postgres:/],
    ['ENCRYPTION_KEYS', 'qqq', /base64 of 32 bytes/],
    ['ENCRYPTION_KEYS', `${randomBytes(31).toString('base64')}`, /base64 of 32 bytes/],
    ['ENCRYPTION_KEYS', `${KEY},`, /base64 of 32 bytes/],
    ['AUTHENTICATION_METHOD', 'qqq', /must be api-key/],
    ['AUTHENTICATION_METHOD', 'api-key,qqq', /must be api-key, keycloak or api-key,keycloak/],
    ['API_KEYS', 'qqq', /entry 1 is not NAME:ROLE:SHA256/],
    ['OIDC_ISSUER_URL', 'http://qqq.example.com', /the https URL of an OpenID Connect issuer/],
    ['OIDC_ISSUER_URL', 'https://user:qqq@id.example.com', /the https URL of an OpenID Connect issuer/],
    ['OIDC_ISSUER_URL', 'https://id.example.com/?qqq', /the https URL of an OpenID Connect issuer/],
    ['OIDC_ROLES', 'qqq', /NAME=ROLE, separated by commas/],
    ['OIDC_ROLES', 'qqq=root', /with a role of viewer, operator, admin/],
    ['OIDC_MAX_TOKEN_AGE_SECONDS', '-77', /a number of seconds/],
    ['CALLER_RATE_LIMIT', 'qqq', /a number, 0 or more/],
    ['CALLER_RATE_LIMIT', '-77', /a number, 0 or more/],
    ['FAILED_AUTHENTICATION_LIMIT', '0.77', /a number, 0 or more/],
    ['TRUST_PROXY', 'true', /addresses or networks, separated by commas/],
    ['TRUST_PROXY', '77', /addresses or networks, separated by commas/],
    ['TRUST_PROXY', '10.77.0.0/33', /addresses or networks, separated by commas/],
    ['TRUST_PROXY', '10.77.0.0/8,qqq', /addresses or networks, separated by commas/],
    ['CONTROLLER_CIDRS', '10.77.0.0/8', /networks such as .*\(entry 1 is none\)/],
    ['CONTROLLER_CIDRS', '10.0.0.0/8,77.7.7.7', /separated by commas \(entry 2 is none\)/],
    ['CONTROLLER_CIDRS', Array.from({ length: 21 }, (_, i) => `77.${i}.0.0/16`).join(), /at most 20 networks/],
    ['HEADERS_TIMEOUT_SECONDS', 'qqq', /a number of seconds/],
    ['REQUEST_TIMEOUT_SECONDS', '86401', /a number of seconds/],
    ['MAX_SERVERS', 'qqq', /a number, 0 or more/],
    ['MAX_SERVERS_PER_OWNER', '7.7', /a number, 0 or more/],
    ['MAX_MONTHLY_COST', '-77', /a number, 0 or more/],
    ['MAX_MONTHLY_COST_PER_OWNER', 'qqq', /a number, 0 or more/],
    ['STATIC_API_KEY', 'qqq', /a secret of 16 characters or more/],
    ['STATIC_API_KEY', 'qqq that no header can hold ä', /a secret of 16 characters or more, ASCII without spaces/],
    ['HETZNER_API_BASE_URL', 'qqq', /a URL by http or https/],
    ['DIGITALOCEAN_API_BASE_URL', 'ftp://qqq', /a URL by http or https/],
    ['KEYCLOAK_AUTH_SERVER_URL', 'qqq', /a URL by http or https/],
    ['AGENT_MANAGER_IMAGE', 'qqq qqq', /a container image/],
    ['POSTGRES_IMAGE', 'qqq qqq', /a container image/],
    ['PROXY_IMAGE', 'qqq\nqqq', /a container image/],
    ['SERVER_IMAGE_HETZNER', 'qqq qqq', /the provider's name of an image, such as debian-13/],
    ['SERVER_IMAGE_DIGITALOCEAN', 'qqq qqq', /the provider's name of an image, such as debian-13/],
    ['PROVISIONING_TIMEOUT_SECONDS', 'qqq', /a number of seconds, such as 1200/],
    ['PROVISIONING_TIMEOUT_SECONDS', '9', /a number of seconds, such as 1200/],
    ['PROVISIONING_TIMEOUT_SECONDS', '86401', /a number of seconds, such as 1200/],
    ['HEALTH_CHECK_INTERVAL_SECONDS', 'qqq', /a number of seconds, such as 300/],
    ['PROVIDER_TIMEOUT_SECONDS', '-31', /a number of seconds, such as 10/],
    ['LEASE_SECONDS', 'qqq', /a number of seconds, such as 10/],
    ['HEARTBEAT_SECONDS', '121', /a number of seconds, such as 10/],
    ['HEALTH_CHECK_INTERVAL_SECONDS', '-1', /a number of seconds, such as 300/],
    ['AGENT_CONNECTIONS', 'qqq', /a number of connections, such as 50/],
    ['AGENT_CONNECTIONS', '-5', /a number of connections, such as 50/],
    ['LOG_LEVEL', 'verbose-qqq', /trace, debug, info, warn, error or fatal/],
  ];

  it.each(wrong)('names %s and what it must be, not %j', (name, value, kind) => {
    const lines = problems({ ...required, [name]: value });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^${name}: must be `));
    expect(lines[0]).toMatch(kind);
    // Not the wording of a library, which speaks of its own types.
    expect(lines[0]).not.toMatch(/invalid|expected|too (big|small)/i);
    expect(lines[0]).not.toContain(value);
    expect(lines[0]).not.toContain('qqq');
  });

  it('takes a public address by https, or on this machine, and pins', () => {
    const pin = `${'A'.repeat(43)}=`;
    const env = parseEnv({
      ...required,
      PUBLIC_URL: 'https://controller.example:8443/x',
      PUBLIC_URL_PINS: ` ${pin},${pin}`,
    });
    expect([env.PUBLIC_URL, env.PUBLIC_URL_PINS]).toEqual(['https://controller.example:8443/x', [pin, pin]]);
    expect(parseEnv({ ...required, PUBLIC_URL: 'http://127.0.0.1:3100' }).PUBLIC_URL).toBe('http://127.0.0.1:3100');
    expect(parseEnv(required)).toMatchObject({ PUBLIC_URL_PINS: [] });
    for (const url of [
      'http://controller.example',
      'https://user:qqq@controller.example',
      'https://a.example/?x=1',
      'x',
    ]) {
      expect(problems({ ...required, PUBLIC_URL: url })).toEqual([
        expect.stringMatching(/^PUBLIC_URL: must be an https URL/),
      ]);
    }
    expect(problems({ ...required, PUBLIC_URL_PINS: 'sha256' })).toEqual([expect.stringMatching(/^PUBLIC_URL_PINS: /)]);
  });

  it('reads hosts and networks that may be called', () => {
    expect(parseEnv(required)).toMatchObject({ OUTBOUND_ALLOWED_HOSTS: [], OUTBOUND_ALLOWED_NETWORKS: [] });
    const hosts = 'login.example.com, *.example.org:8443,';
    expect(parseEnv({ ...required, OUTBOUND_ALLOWED_HOSTS: hosts }).OUTBOUND_ALLOWED_HOSTS).toEqual([
      'login.example.com',
      '*.example.org:8443',
    ]);
    for (const [name, value] of [
      ['OUTBOUND_ALLOWED_HOSTS', 'https://login.example.com'],
      ['OUTBOUND_ALLOWED_HOSTS', 'a,b c'],
      ['OUTBOUND_ALLOWED_NETWORKS', 'login.example.com'],
      ['OUTBOUND_ALLOWED_NETWORKS', '10.0.0.0/33'],
    ] as const) {
      expect(problems({ ...required, [name]: value })).toEqual([
        expect.stringMatching(new RegExp(`^${name}: must be`)),
      ]);
    }
  });

  it('names all that are wrong', () => {
    const lines = problems({ ...required, PORT: 'x', LOG_LEVEL: 'x', STATIC_API_KEY: 'x' });
    expect(lines.map((line) => line.split(':')[0]).sort()).toEqual(['LOG_LEVEL', 'PORT', 'STATIC_API_KEY']);
  });
});

describe('parseEnv in production', () => {
  const production = { ...required, NODE_ENV: 'production' };

  it.each(['HETZNER_API_BASE_URL', 'DIGITALOCEAN_API_BASE_URL'])('refuses the emulator at %s', (name) => {
    expect(problems({ ...production, [name]: 'http://127.0.0.1:3199/hetzner/v1' })).toEqual([
      `${name}: must be https in production; the cloud emulator is for development only`,
    ]);
    expect(problems({ ...required, [name]: 'http://127.0.0.1:3199/hetzner/v1' })).toEqual([]);
    expect(problems({ ...production, [name]: 'https://api.example.com/v1' })).toEqual([]);
  });

  it('refuses a public address without TLS', () => {
    expect(problems({ ...production, PUBLIC_URL: 'http://127.0.0.1:3100' })).toEqual([
      'PUBLIC_URL: must be https in production; the cloud emulator is for development only',
    ]);
  });

  it.each([
    '0.0.0.0/0',
    '::/0',
    '127.0.0.0/8',
    '127.0.0.1',
    '10.0.0.0/7',
    'fc00::/7',
    'fd00::/8',
    '::1',
    '169.254.0.0/16',
  ])('refuses to call all of %s', (network) => {
    expect(problems({ ...production, OUTBOUND_ALLOWED_NETWORKS: `192.0.2.0/24,${network}` })).toEqual([
      `OUTBOUND_ALLOWED_NETWORKS: ${network} is too wide for production: name the networks that are meant`,
    ]);
    expect(problems({ ...required, OUTBOUND_ALLOWED_NETWORKS: network })).toEqual([]);
  });

  it('lets networks of its own pass', () => {
    const networks = { ...production, OUTBOUND_ALLOWED_NETWORKS: '10.0.0.0/8, fd00:1::/32,192.168.1.7' };
    expect(parseEnv(networks).OUTBOUND_ALLOWED_NETWORKS).toEqual(['10.0.0.0/8', 'fd00:1::/32', '192.168.1.7']);
  });

  it('starts with the required variables', () => {
    expect(parseEnv(production).NODE_ENV).toBe('production');
  });
});
