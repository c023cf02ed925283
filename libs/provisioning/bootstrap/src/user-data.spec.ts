import fc from 'fast-check';
import { load } from 'js-yaml';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RESERVED_VARIABLES } from './agent-environment';
import type { BootstrapSpec } from './bootstrap-spec';
import { EXAMPLE_CONTROLLER, exampleSpec } from './bootstrap-spec.fixture';
import { secretFiles } from './server-files';
import { renderUserData, userDataBytes } from './user-data';
import { nastyValue } from './testing';

const LIMITS = { hetzner: 32_768, 'digital-ocean': 65_536 };

interface CloudConfig {
  write_files: { path: string; permissions: string; content: string; encoding?: string }[];
}

function filesOf(userData: string): Record<string, string> {
  const { write_files: files } = load(userData) as CloudConfig;
  return Object.fromEntries(
    files.map(({ path, content, encoding }) => [
      path,
      encoding === 'gz+b64' ? gunzipSync(Buffer.from(content, 'base64')).toString('utf8') : content,
    ]),
  );
}

/** What Compose would give the containers: the override file with its escaped dollars resolved. */
function environmentOf(userData: string, service: string): Record<string, string> {
  const override = load(filesOf(userData)['/opt/agent-manager/docker-compose.override.yml'] ?? '') as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  return Object.fromEntries(
    Object.entries(override.services[service]?.environment ?? {}).map(([name, value]) => {
      if (/\$/.test(value.replaceAll('$$', ''))) throw new Error(`${name} has a dollar that Compose would interpret`);
      return [name, value.replaceAll('$$', '$')];
    }),
  );
}

const golden = (name: string) => join(__dirname, 'golden', name);

describe('renderUserData', () => {
  it.each([
    ['api-key.hetzner.yml', LIMITS.hetzner, exampleSpec()],
    [
      'keycloak.digital-ocean.yml',
      LIMITS['digital-ocean'],
      exampleSpec({
        authentication: {
          type: 'keycloak',
          authServerUrl: 'https://login.example.com/auth',
          realm: 'agents',
          clientId: 'agent-manager',
          clientSecret: 'sécret\t$1',
        },
        git: {},
        cursorApiKey: undefined,
      }),
    ],
    ['public-url.hetzner.yml', LIMITS.hetzner, exampleSpec(EXAMPLE_CONTROLLER)],
  ])('renders %s as it was reviewed', (name, maxBytes, spec) => {
    const userData = renderUserData(spec, { maxBytes });
    if (process.env.UPDATE_GOLDEN_FILES === '1') writeFileSync(golden(name), userData);
    expect(userData).toBe(readFileSync(golden(name), 'utf8'));
  });

  it('keeps every file from other users of the server, except units without secrets', () => {
    const { write_files: files } = load(renderUserData(exampleSpec(), { maxBytes: LIMITS.hetzner })) as CloudConfig;
    const open = files.filter(({ permissions }) => !/00$/.test(permissions)).map(({ path }) => path);
    expect(open).toEqual([
      '/etc/tmpfiles.d/agent-manager.conf',
      '/etc/systemd/system/agent-manager-certificate.service',
      '/etc/systemd/system/agent-manager-certificate.timer',
      '/etc/systemd/system/agent-manager-metadata.service',
      '/etc/systemd/system/agent-manager-user-data.service',
    ]);
  });

  it('puts no secret into the compose file that people copy around', () => {
    const spec = exampleSpec();
    const compose = filesOf(renderUserData(spec, { maxBytes: LIMITS.hetzner }))[
      '/opt/agent-manager/docker-compose.yml'
    ];
    for (const secret of [...Object.values(spec.secrets), 'key with', 'robot', 'not a real key', 'cursor:']) {
      expect(compose).not.toContain(secret);
    }
  });

  it('has no secret but the bootstrap token where the server can fetch the rest', () => {
    const spec = exampleSpec(EXAMPLE_CONTROLLER);
    const userData = renderUserData(spec, { maxBytes: LIMITS.hetzner });
    const text = [userData, ...Object.values(filesOf(userData))].join('\n');
    const secrets = ['key with', 'robot', 'second line', 'git.example.com', 'not a real key', 'cursor:', 'FURTHER'];
    for (const secret of [...Object.values(spec.secrets), 'PRIVATE KEY', 'example-callback-token', ...secrets]) {
      expect(text).not.toContain(secret);
    }
    const tokens = text.match(/Bearer [\w-]+/g);
    expect(new Set(tokens)).toEqual(new Set(['Bearer example-bootstrap-token']));
    expect(filesOf(userData)['/opt/agent-manager/docker-compose.override.yml']).toBeUndefined();
    expect(filesOf(userData)['/opt/agent-manager/tls/key.pem']).toBeUndefined();
  });

  it('lets the server fetch exactly what is not in its user data', () => {
    const { redemption: _redemption, ...spec } = exampleSpec(EXAMPLE_CONTROLLER);
    const whole = load(renderUserData(spec, { maxBytes: LIMITS.hetzner })) as CloudConfig;
    const paths = [
      '/opt/agent-manager/docker-compose.override.yml',
      '/opt/agent-manager/tls/key.pem',
      '/opt/agent-manager/callback.curlrc',
    ];
    expect(secretFiles(exampleSpec(EXAMPLE_CONTROLLER))).toEqual(
      whole.write_files
        .filter(({ path }) => paths.includes(path))
        .map(({ path, permissions, content }) => ({ path, permissions, content })),
    );
    expect(secretFiles(exampleSpec()).map(({ path }) => path)).toEqual(paths.slice(0, 2));
  });

  it('does not grow with what the server fetches', () => {
    const long = exampleSpec({
      ...EXAMPLE_CONTROLLER,
      environment: { LONG: createHash('sha512').digest('hex').repeat(900) },
    });
    expect(renderUserData(long, { maxBytes: LIMITS.hetzner })).toBe(
      renderUserData(exampleSpec(EXAMPLE_CONTROLLER), { maxBytes: LIMITS.hetzner }),
    );
  });

  it('carries any string byte for byte, and no string changes the structure', () => {
    const name = fc
      .stringMatching(/^[A-Z_][A-Z0-9_]{0,20}$/)
      .filter((candidate) => !RESERVED_VARIABLES.includes(candidate));
    const paths = Object.keys(filesOf(renderUserData(exampleSpec(), { maxBytes: LIMITS.hetzner })));
    fc.assert(
      fc.property(
        nastyValue,
        nastyValue,
        nastyValue,
        nastyValue,
        fc.dictionary(name, nastyValue, { maxKeys: 4 }),
        (a, b, c, d, environment) => {
          const spec: BootstrapSpec = exampleSpec({
            authentication: { type: 'keycloak', authServerUrl: a, realm: b, clientId: c, clientSecret: d },
            git: { repositoryUrl: d, username: c, password: b, privateKey: a },
            cursorApiKey: b,
            environment,
          });
          const userData = renderUserData(spec, { maxBytes: 1_000_000 });
          expect(Object.keys(filesOf(userData))).toEqual(paths);
          expect(environmentOf(userData, 'agent-manager')).toMatchObject({
            ...environment,
            KEYCLOAK_AUTH_SERVER_URL: a,
            KEYCLOAK_SERVER_URL: a,
            KEYCLOAK_REALM: b,
            KEYCLOAK_CLIENT_ID: c,
            KEYCLOAK_CLIENT_SECRET: d,
            GIT_REPOSITORY_URL: d,
            GIT_USERNAME: c,
            GIT_PASSWORD: b,
            GIT_PRIVATE_KEY: a,
            CURSOR_API_KEY: b,
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives both services the same database password', () => {
    const spec = exampleSpec({ secrets: { ...exampleSpec().secrets, databasePassword: 'pa$$word' } });
    const userData = renderUserData(spec, { maxBytes: LIMITS.hetzner });
    expect(environmentOf(userData, 'agent-manager')['DB_PASSWORD']).toBe('pa$$word');
    expect(environmentOf(userData, 'postgres')['POSTGRES_PASSWORD']).toBe('pa$$word');
  });

  it('compresses what would be too long, measured as sent', () => {
    const spec = exampleSpec({ environment: { LONG: 'abcdefgh'.repeat(4_000) } });
    const userData = renderUserData(spec, { maxBytes: LIMITS.hetzner });
    expect(userDataBytes(userData)).toBeLessThanOrEqual(LIMITS.hetzner);
    expect(environmentOf(userData, 'agent-manager')['LONG']).toBe('abcdefgh'.repeat(4_000));
    expect(userDataBytes('é')).toBe(2);
  });

  it('refuses what does not fit even compressed', () => {
    // Hash values do not compress.
    const noise = Array.from({ length: 600 }, (_, index) => createHash('sha256').update(`${index}`).digest('hex')).join(
      '',
    );
    const spec = exampleSpec({ environment: { NOISE: noise } });
    expect(() => renderUserData(spec, { maxBytes: 20_000 })).toThrow(
      expect.objectContaining({ code: 'user-data-too-large' }),
    );
  });
});
