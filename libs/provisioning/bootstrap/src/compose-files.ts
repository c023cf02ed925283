import { AGENT_PORTS, DATABASE, fixedEnvironment, givenEnvironment } from './agent-environment';
import type { BootstrapSpec } from './bootstrap-spec';
import { PROXY_STATUS_FOLDER } from './proxy-file';
import { STATUS_FOLDER } from './status-report';
import { yamlDocument } from './yaml-document';

// Containers that log without end would fill the disk.
const logging = { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } };
// Whoever breaks into a container gets no more rights than its program needs.
const always = {
  restart: 'unless-stopped',
  logging,
  security_opt: ['no-new-privileges:true'],
  cap_drop: ['ALL'],
};

/** `docker-compose.yml`: everything that is not secret. */
export function composeFile(spec: BootstrapSpec): string {
  return yamlDocument({
    name: 'agent-manager',
    services: {
      proxy: {
        image: literal(spec.images.proxy),
        ...always,
        // No dependency: it answers before the agent-manager does, and so shows that the server is ours.
        ports: [`${AGENT_PORTS.api}:${AGENT_PORTS.api}`, `${spec.agentWsPort}:${spec.agentWsPort}`],
        volumes: [
          './proxy/Caddyfile:/etc/caddy/Caddyfile:ro',
          './tls:/etc/caddy/tls:ro',
          `${STATUS_FOLDER}:${PROXY_STATUS_FOLDER}:ro`,
        ],
        networks: ['front'],
        // Its program file asks for this one, and does not start where it cannot be had.
        cap_add: ['NET_BIND_SERVICE'],
        read_only: true,
        tmpfs: ['/config', '/data', '/tmp'],
      },
      'agent-manager': {
        image: literal(spec.images.agentManager),
        ...always,
        depends_on: { postgres: { condition: 'service_healthy' } },
        environment: fixedEnvironment(),
        // It runs as uid 10001 and starts agents through the host's Docker; .env has the socket's group.
        group_add: ['${DOCKER_GID}'],
        volumes: ['/var/run/docker.sock:/var/run/docker.sock', '/opt/agents:/opt/agents'],
        networks: ['front', 'back'],
      },
      postgres: {
        image: literal(spec.images.postgres),
        ...always,
        environment: { POSTGRES_DB: DATABASE.name, POSTGRES_USER: DATABASE.user },
        healthcheck: {
          test: ['CMD', 'pg_isready', '--username', DATABASE.user, '--dbname', DATABASE.name],
          interval: '2s',
          timeout: '5s',
          retries: 60,
        },
        volumes: ['postgres-data:/var/lib/postgresql/data'],
        // Its entry point starts as root, gives the data folder to its user, and becomes that user.
        cap_add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'],
        read_only: true,
        // Owned by root, and its user makes its socket there.
        tmpfs: ['/tmp', '/var/run/postgresql:mode=1777'],
        networks: ['back'],
      },
    },
    networks: { front: {}, back: { internal: true } },
    volumes: { 'postgres-data': {} },
  });
}

/** `docker-compose.override.yml`, which Compose merges by itself: secrets and what callers gave. */
export function composeOverrideFile(spec: BootstrapSpec): string {
  const environment = Object.entries(givenEnvironment(spec)).map(([name, value]) => [name, literal(value)]);
  return yamlDocument({
    services: {
      'agent-manager': { environment: Object.fromEntries(environment) },
      postgres: { environment: { POSTGRES_PASSWORD: literal(spec.secrets.databasePassword) } },
    },
  });
}

/** Compose replaces `$NAME` in every value; two dollars stand for one. */
function literal(value: string): string {
  return value.replaceAll('$', '$$$$');
}
