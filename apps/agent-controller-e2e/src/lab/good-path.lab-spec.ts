import type { ProvisioningInfoView } from '@agent-controller/contracts';
import { callAgent } from '../support/agent-call';
import { Installation, type Controller } from '../support/controller-process';
import { until } from '../support/until';
import { labAdmin } from './lab-admin';
import { expectGone, keycloakToken, order, shellOf, untilUp } from './lab-run';
import type { Shell } from './shell';

const NASTY = `it's "quoted" $HOME $$ \${X} back\\slash # no: comment 100% {{x}} äöü 日本 \u{1F600}\nsecond 'line'\r\n\ttab\n`;
const API_KEY = 'lab-key-$HOME-$$-"quoted"-#-%-0123456789';
const KEYCLOAK = { keycloakRealm: 'lab', keycloakClientId: 'agent lab', keycloakClientSecret: `${NASTY}client` };
/** How the servers authenticate their callers, what the request says of it, and what arrives of it in the container. */
const AUTHENTICATION = {
  api_key: [{ authenticationType: 'api_key', apiKey: API_KEY }, { STATIC_API_KEY: API_KEY }],
  keycloak: [
    { authenticationType: 'keycloak', ...KEYCLOAK },
    {
      KEYCLOAK_REALM: KEYCLOAK.keycloakRealm,
      KEYCLOAK_CLIENT_ID: KEYCLOAK.keycloakClientId,
      KEYCLOAK_CLIENT_SECRET: KEYCLOAK.keycloakClientSecret,
    },
  ],
} as const;
type Authentication = keyof typeof AUTHENTICATION;
const SECRETS = {
  gitToken: `${NASTY}token`,
  gitPrivateKey: `-----BEGIN KEY-----\n${NASTY.repeat(40).slice(0, 3_900)}\n-----END KEY-----\n`,
  cursorApiKey: `cursor: [${NASTY}] & *anchor`,
};
const ENVIRONMENT = { FURTHER: NASTY, LONG: `${NASTY.repeat(60)}`.slice(0, 4_000), EMPTY: '' };
// Parts of the secrets that show nowhere else, and of what is made for the server.
const MARKS = ["second 'line'", API_KEY, '{{x}}'];

/** In every user data, compressed or not, with secrets or without. */
const USER_DATA_MARK = '/opt/agent-manager/report.py';
/** Arguments: the mark, and where to look for it. */
const READ_USER_DATA = `
  const [mark, ...urls] = process.argv.slice(1);
  const read = async (url) => (await fetch(url, { signal: AbortSignal.timeout(8000) })).text();
  Promise.any(urls.map(async (url) => { if (!(await read(url)).includes(mark)) throw new Error(url); }))
    .then(() => console.log("read"), () => console.log("closed"));`;

interface LabAnswer {
  environment: Record<string, string>;
  uid: number;
  starts: number;
}

describe('good path', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.dispose());

  it.each([
    ['hetzner', 'cx33', 'api_key', true],
    ['digital-ocean', 's-2vcpu-2gb', 'keycloak', false],
  ] as const)(
    '%s (%s, %s): provision to ready, every byte, no secret elsewhere, reboot, gone',
    async (providerType, serverType, authentication, isPublic) => {
      const controller = await installation.startController({
        ...(isPublic ? { PUBLIC_URL: 'https://controller.lab.example' } : {}),
        // A machine that hangs must not take a quarter of an hour.
        INSTALLING_TIMEOUT_SECONDS: '600',
      });
      await labAdmin.setController(controller.url);
      const changes = {
        ...{ providerType, serverType, agentWsPort: 8443, description: 'of the lab' },
        ...AUTHENTICATION[authentication][0],
        ...{ gitRepositoryUrl: 'https://git.example.com/team/project.git', gitUsername: `robot ${NASTY}` },
        ...{ ...SECRETS, agentDefaultImage: 'example.com/worker:1', environment: ENVIRONMENT },
      };
      const options = { watchProcesses: true };
      const { id } = await order(controller, options, changes);
      const seen = await untilUp(controller, id, { name: `good-path-${providerType}`, options });
      expect(seen).toMatchObject({ phase: 'ready', lastError: null, warnings: [] });
      await expectEnvironment(seen, authentication);
      const shell = await shellOf(seen);
      await expectFiles(shell);
      await expectNoSecret(shell, controller, isPublic);
      await expectGuarded(shell);
      await expectReboot(seen, shell, authentication);
      await expectGone(controller, seen);
      await controller.stop();
    },
  );

  async function lab({ endpoint, tls }: ProvisioningInfoView, authentication: Authentication): Promise<LabAnswer> {
    if (!endpoint || !tls) throw new Error('A ready provisioning has no endpoint or no tls');
    const key = authentication === 'keycloak' ? await keycloakToken(KEYCLOAK) : API_KEY;
    return JSON.parse((await callAgent(endpoint, tls, '/api/lab', `Bearer ${key}`)).body) as LabAnswer;
  }

  async function expectEnvironment(seen: ProvisioningInfoView, authentication: Authentication): Promise<void> {
    const { environment, uid } = await lab(seen, authentication);
    expect(uid).toBe(10001);
    expect(environment).toMatchObject({
      ...ENVIRONMENT,
      ...AUTHENTICATION[authentication][1],
      GIT_USERNAME: `robot ${NASTY}`,
      GIT_TOKEN: SECRETS.gitToken,
      GIT_PRIVATE_KEY: SECRETS.gitPrivateKey,
      CURSOR_API_KEY: SECRETS.cursorApiKey,
    });
  }

  async function expectFiles(shell: Shell): Promise<void> {
    const lines = await shell.run(
      'find /opt/agent-manager -type f -printf "%m %U:%G %p\\n"; stat -c "%a %u:%g %n" /opt/agents',
    );
    const files = lines.trim().split('\n');
    expect(files).toContain('600 0:0 /opt/agent-manager/docker-compose.override.yml');
    expect(files).toContain('600 0:0 /opt/agent-manager/tls/key.pem');
    expect(files).toContain('750 10001:10001 /opt/agents');
    expect(files.filter((line) => !/^(600|700) 0:0 |^750 10001:10001 /.test(line))).toEqual([]);
  }

  /** @param isPublic whether the server could fetch its secrets: then they are not in the user data either */
  async function expectNoSecret(shell: Shell, controller: Controller, isPublic: boolean): Promise<void> {
    const generated = await shell.run(
      "grep -hE 'DB_PASSWORD|JWT_SECRET|ENCRYPTION_KEY' /opt/agent-manager/docker-compose.override.yml | sed -E 's/^[^:]*: *\"?//; s/\"?$//'",
    );
    const marks = [...MARKS, ...generated.trim().split('\n')];
    expect(marks.length).toBe(MARKS.length + 3);
    const inspected =
      'docker inspect $(docker ps -q --filter name=proxy) $(docker ps -q --filter name=postgres) | grep -v POSTGRES_PASSWORD=';
    const places = {
      cloudInit: await shell.run('cat /var/log/cloud-init*.log'),
      processes: await shell.run('cat /run/lab/processes'),
      inspect: await shell.run(inspected),
      journal: await shell.run('journalctl --no-pager -o cat'),
      controller: controller.log(),
      ...(isPublic ? { userData: await publicUserData(shell) } : {}),
    };
    const found = Object.entries(places).filter(([, text]) => marks.some((mark) => text.includes(mark)));
    expect(found.map(([place]) => place)).toEqual([]);
    expect(places.processes).toContain('bootstrap.sh');
    expect(Number(await shell.run('wc -l </run/lab/samples'))).toBeGreaterThan(10);
  }

  /** As Hetzner stores it. Its one token is dead, and not the one with which the server reports. */
  async function publicUserData(shell: Shell): Promise<string> {
    const userData = await shell.run('curl -s --max-time 20 http://169.254.169.254/hetzner/v1/userdata');
    expect(userData).toMatch(/^#cloud-config\n/);
    expect(userData).not.toMatch(/gz\+b64|PRIVATE KEY/);
    const key = await shell.run('sed -n 2p /opt/agent-manager/tls/key.pem');
    const reporting = await shell.run("sed -n 's/.*Bearer \\([^\"]*\\).*/\\1/p' /opt/agent-manager/callback.curlrc");
    for (const secret of [key.trim(), reporting.trim()]) {
      expect(secret.length).toBeGreaterThan(30);
      expect(userData.includes(secret)).toBe(false);
    }
    expect(new Set(userData.match(/Bearer [\w-]+/g)).size).toBe(1);
    expect(await shell.run('ls /opt/agent-manager/redemption.* /run/agent-manager-key 2>/dev/null || true')).toBe('');
    return userData;
  }

  /** The server itself reads its user data; containers do not, on any of their networks, and no copy is left of it. */
  async function expectGuarded(shell: Shell): Promise<void> {
    await shell.run('until [ "$(systemctl is-active agent-manager-user-data)" = inactive ]; do sleep 1; done');
    const urls = 'http://169.254.169.254/hetzner/v1/userdata http://169.254.169.254/metadata/v1/user-data';
    const onServer = await shell.run(`for url in ${urls}; do curl -s --max-time 20 $url; done`);
    expect(onServer).toContain(USER_DATA_MARK);
    const node = `node -e '${READ_USER_DATA}' ${USER_DATA_MARK} ${urls}`;
    const image = '$(docker inspect --format "{{.Config.Image}}" agent-manager-agent-manager-1)';
    expect(await shell.run(`docker exec agent-manager-agent-manager-1 ${node}`)).toBe('closed\n');
    expect(await shell.run(`docker run --rm --user 0:0 ${image} ${node}`)).toBe('closed\n');
    // A holder of Docker's socket can do this all the same; it shows that the others could have been told. In the first
    // seconds after a boot a software-emulated machine may be too busy to be told in time.
    const onHost = () => shell.run(`docker run --rm --network host ${image} ${node}`);
    expect(await until(onHost, (said) => said === 'read\n')).toBe('read\n');
    expect(await shell.run(`grep -rl ${USER_DATA_MARK} /var/lib/cloud /run/cloud-init || true`)).toBe('');
  }

  async function expectReboot(seen: ProvisioningInfoView, shell: Shell, authentication: Authentication): Promise<void> {
    const { starts } = await lab(seen, authentication);
    const boot = await shell.run('cat /proc/sys/kernel/random/boot_id');
    await shell.run('systemd-run --quiet --on-active=1 systemctl reboot');
    const end = Date.now() + 400_000;
    const again = async (): Promise<LabAnswer> => {
      try {
        const answer = await lab(seen, authentication);
        if (answer.starts > starts) return answer;
      } catch {
        // It is down, or comes up.
      }
      if (Date.now() > end) throw new Error('It does not come back');
      return new Promise((resolve) => setTimeout(() => resolve(again()), 1_000));
    };
    // Rows of the earlier start are there, and the certificate that callers trust is the same.
    expect((await again()).starts).toBe(starts + 1);
    expect(await shell.run('cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
    await expectGuarded(shell);
  }
});
