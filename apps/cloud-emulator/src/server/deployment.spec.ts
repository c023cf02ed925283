import type { CloudConfig } from './cloud-init';
import { plan } from './deployment';
import { RefusedError } from './refused.error';

const KEY = Buffer.alloc(32, 7).toString('base64');
const AGENT: Record<string, string> = {
  JWT_SECRET: 'jwt',
  ENCRYPTION_KEY: KEY,
  DB_HOST: 'db',
  DB_USERNAME: 'user',
  DB_PASSWORD: 'password',
  DB_DATABASE: 'user',
  AUTHENTICATION_METHOD: 'api-key',
  STATIC_API_KEY: 'key',
};
const DATABASE: Record<string, string> = { POSTGRES_USER: 'user', POSTGRES_PASSWORD: 'password' };

interface Changes {
  agent?: Record<string, string | undefined>;
  database?: Record<string, string | undefined>;
  proxy?: Record<string, unknown>;
  files?: Record<string, string | undefined>;
  commands?: CloudConfig['commands'];
}

/** JSON is YAML. */
function config({ agent, database, proxy, files, commands = [['bash', '/opt/app/up.sh']] }: Changes = {}): CloudConfig {
  const compose = {
    services: {
      proxy: {
        image: 'registry.example.com:5000/team/caddy:2@sha256:0',
        ports: ['3000:3000', '8443:8443'],
        volumes: ['./Caddyfile:/etc/caddy/Caddyfile:ro', './tls:/tls:ro'],
        ...proxy,
      },
      db: { image: 'postgres:16-alpine', environment: { ...DATABASE, ...database } },
      agent: { image: 'postgres-free/agent', environment: { ...AGENT, ...agent } },
    },
  };
  const site = (port: number, upstream: number) =>
    `:${port} {\n  tls /tls/cert.pem /tls/key.pem\n  reverse_proxy agent:${upstream}\n}\n`;
  const all: Record<string, string | undefined> = {
    'docker-compose.yml': JSON.stringify(compose),
    Caddyfile: site(3000, 3000) + site(8443, 8080),
    'tls/cert.pem': 'cert',
    'tls/key.pem': 'key',
    'up.sh': '#!/bin/sh\n',
    ...files,
  };
  return {
    commands,
    files: Object.entries(all).flatMap(([name, text]) =>
      text === undefined ? [] : [{ path: `/opt/app/${name}`, permissions: '0600', content: Buffer.from(text) }],
    ),
  };
}

describe('plan', () => {
  it('finds who is who, the sites with their key pair, and what is behind them', () => {
    expect(plan(config())).toEqual({
      agentEnvironment: AGENT,
      postgresEnvironment: DATABASE,
      sites: [
        { port: 3000, certificate: 'cert', key: 'key', routes: [{ path: null, kind: 'api' }] },
        { port: 8443, certificate: 'cert', key: 'key', routes: [{ path: null, kind: 'web-socket' }] },
      ],
      agentProblem: null,
      callback: null,
    });
  });

  it.each<[string, string[], string | null]>([
    ['the mount that fits', ['/run/agent-manager:/srv/status:ro'], '/run/agent-manager'],
    ['a folder below a mount', ['/run:/srv'], '/run/status'],
    ['the nearest of two mounts', ['/run:/srv', './status:/srv/status'], '/opt/app/status'],
    ['no mount', ['/run/agent-manager:/srv/stat:ro'], null],
    ['an anonymous volume', ['/srv/status'], null],
  ])('files come from %s', (_name, mounts, folder) => {
    const files = 'root * /srv/status\n rewrite * /status.json\n file_server';
    const Caddyfile = `:3000 {\n tls /tls/cert.pem /tls/key.pem\n handle /status {\n ${files}\n }\n reverse_proxy agent:3000\n}\n`;
    const volumes = ['./Caddyfile:/etc/caddy/Caddyfile:ro', './tls:/tls:ro', ...mounts];
    const [site] = plan(config({ files: { Caddyfile }, proxy: { volumes } })).sites;
    expect(site?.routes).toEqual([
      { path: '/status', kind: 'files', folder, rewrite: '/status.json', headers: {} },
      { path: null, kind: 'api' },
    ]);
  });

  it('knows the ports of a server that has still to fetch its key', () => {
    const { files, commands } = config();
    const ports = plan({ files, commands }).sites.map(({ port }) => port);
    const keyless = files.filter(({ path }) => !path.endsWith('/key.pem'));
    expect(() => plan({ files: keyless, commands })).toThrow('key.pem is not mounted');
    const permissions = '0600';
    const subject = { provisioningId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', attempt: 1 };
    keyless.push(
      {
        path: '/opt/agent-manager/redemption.curlrc',
        permissions,
        content: Buffer.from('url = "https://controller.example/x"\n'),
      },
      { path: '/opt/agent-manager/redemption.json', permissions, content: Buffer.from(JSON.stringify(subject)) },
    );
    expect(plan({ files: keyless, commands }).sites.map(({ port, key }) => [port, key])).toEqual(
      ports.map((port) => [port, '']),
    );
  });

  it('finds the callback', () => {
    const { files, commands } = config();
    const content = Buffer.from('url = "https://controller.example/x"\n');
    files.push({ path: '/opt/agent-manager/callback.curlrc', permissions: '0600', content });
    expect(plan({ files, commands }).callback?.url.href).toBe('https://controller.example/x');
  });

  it('follows the ports that are published and the ports that the agent-manager listens at', () => {
    const { sites } = plan(config({ proxy: { ports: ['443:3000', '8443:8443'] }, agent: { WEBSOCKET_PORT: '8081' } }));
    expect(sites.map(({ port, routes }) => [port, routes[0]?.kind])).toEqual([
      [443, 'api'],
      [8443, 'none'],
    ]);
  });

  it.each<[string, Changes]>([
    ['JWT_SECRET is missing', { agent: { JWT_SECRET: undefined } }],
    ['JWT_SECRET is missing', { agent: { JWT_SECRET: '' } }],
    ['ENCRYPTION_KEY is not base64 of 32 bytes', { agent: { ENCRYPTION_KEY: undefined } }],
    ['ENCRYPTION_KEY is not base64 of 32 bytes', { agent: { ENCRYPTION_KEY: 'c2hvcnQ=' } }],
    ['POSTGRES_PASSWORD is missing', { database: { POSTGRES_PASSWORD: undefined } }],
    ['postgres refuses', { agent: { DB_PASSWORD: 'another' } }],
    ['postgres refuses', { agent: { DB_USERNAME: 'another' } }],
    ['postgres refuses', { database: { POSTGRES_DB: 'another' } }],
    ['cannot reach postgres', { agent: { DB_HOST: 'localhost' } }],
    ['STATIC_API_KEY is missing', { agent: { STATIC_API_KEY: undefined } }],
  ])('the agent-manager never comes up: %s', (problem, changes) => {
    expect(plan(config(changes)).agentProblem).toContain(problem);
  });

  it('needs networks that are shared', () => {
    const { agentProblem } = plan(
      config({
        files: {
          'docker-compose.override.yml': JSON.stringify({
            services: { proxy: { networks: ['front'] }, db: { networks: ['front'] } },
            networks: { front: null },
          }),
        },
      }),
    );
    expect(agentProblem).toContain('cannot reach postgres');
  });

  it.each<[string, Changes]>([
    ['No docker-compose.yml', { files: { 'docker-compose.yml': undefined } }],
    ['could be the proxy', { proxy: { image: 'nginx' } }],
    ['/etc/caddy/Caddyfile is not mounted', { proxy: { volumes: ['./tls:/tls'] } }],
    ['/tls/key.pem is not mounted', { files: { 'tls/key.pem': undefined } }],
    ['published port', { proxy: { ports: ['127.0.0.1:3000:3000'] } }],
    ['nothing starts the containers', { commands: [] }],
    ['/opt/app/no.sh, which does not exist', { commands: [['bash', '/opt/app/no.sh']] }],
  ])('refuses: %s', (message, changes) => {
    expect(() => plan(config(changes))).toThrow(RefusedError);
    expect(() => plan(config(changes))).toThrow(message);
  });
});
