import { renderUserData, type BootstrapSpec } from '@agent-controller/provisioning-bootstrap';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readUserData } from '../server/cloud-init';
import { plan } from '../server/deployment';
import { nastyValue } from '@agent-controller/provisioning-bootstrap/testing';

const FILES = ['docker-compose.yml', 'docker-compose.override.yml'];

function spec(values: string[], environment: Record<string, string>): BootstrapSpec {
  const [repositoryUrl = '', username = '', password = '', privateKey = '', clientSecret = ''] = values;
  return {
    images: { agentManager: 'ghcr.io/example/agent:1', postgres: 'postgres:16-alpine', proxy: 'caddy:2-alpine' },
    agentWsPort: 8443,
    authentication: { type: 'keycloak', authServerUrl: username, realm: password, clientId: privateKey, clientSecret },
    git: { repositoryUrl, username, password, privateKey },
    agentDefaultImage: 'example.com/worker:1',
    environment,
    secrets: {
      databasePassword: clientSecret || 'x',
      jwtSecret: 'jwt',
      encryptionKey: Buffer.alloc(32, 7).toString('base64'),
    },
    tls: { certificatePem: 'certificate\n', privateKeyPem: 'key\n', serverName: 'lab.agent.internal' },
  };
}

/** `docker compose config` of the lab's root: real Compose, without a machine. */
describe('compose: the real one reads what we read', () => {
  const root = join(process.env.BOOT_LAB ?? '', 'root');
  const folder = mkdtempSync(join(root, 'tmp', 'compose-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function realEnvironments(userData: string): Record<string, Record<string, string>> {
    const { files } = readUserData(userData, false);
    mkdirSync(folder, { recursive: true });
    for (const name of FILES) {
      const file = files.find(({ path }) => path === `/opt/agent-manager/${name}`);
      writeFileSync(join(folder, name), file?.content ?? '');
    }
    writeFileSync(join(folder, '.env'), 'DOCKER_GID=999\n');
    const inside = folder.slice(root.length);
    // Its output is escaped as a compose file is; --no-interpolate is not asked for, so $$ stands for one dollar.
    const output = execFileSync(
      'chroot',
      [root, 'docker', 'compose', '--project-directory', inside, 'config', '--format', 'json'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    const { services } = JSON.parse(output) as { services: Record<string, { environment?: Record<string, string> }> };
    return Object.fromEntries(
      Object.entries(services).map(([name, { environment = {} }]) => [
        name,
        Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, value.replaceAll('$$', '$')])),
      ]),
    );
  }

  it('the same environment, for generated values: in Compose, in the emulator, and as it was given', () => {
    const name = fc.stringMatching(/^LAB_[A-Z0-9_]{0,20}$/);
    fc.assert(
      fc.property(
        fc.array(nastyValue, { minLength: 5, maxLength: 5 }),
        fc.dictionary(name, nastyValue, { maxKeys: 4 }),
        (values, environment) => {
          const wanted = spec(values, environment);
          const userData = renderUserData(wanted, { maxBytes: 1_000_000 });
          const real = realEnvironments(userData);
          const emulated = plan(readUserData(userData, false));
          expect(real['agent-manager']).toEqual(emulated.agentEnvironment);
          expect(real['postgres']).toEqual(emulated.postgresEnvironment);
          expect(real['agent-manager']).toMatchObject({
            ...environment,
            GIT_USERNAME: values[1],
            GIT_PRIVATE_KEY: values[3],
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});
