import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import { webcrypto } from 'node:crypto';

/** User data written by hand, so that the emulator's reading is not tested by the renderer it shall check. */
export interface UserDataChanges {
  /** Lines for the agent-manager's environment; a null leaves a variable out. */
  agent?: Record<string, string | null>;
  databasePassword?: string;
  webSocketPort?: number;
  /** The proxy serves the status document at `STATUS_PATH` from this folder of the server. */
  statusFolder?: string;
  /** Lines of `/opt/agent-manager/callback.curlrc`. */
  callback?: string;
}

export interface KeyPair {
  certificate: string;
  key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
export const STATUS_PATH = '/.well-known/agent-controller/status';
export const SERVER_NAME = 'server.agent.internal';

export async function createKeyPair(): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${SERVER_NAME}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: ALGORITHM,
    keys,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = pkcs8.replace(/.{64}/g, '$&\n');
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
  };
}

/** A database, an agent-manager with its secrets in a raw env file, and a proxy with the key pair. */
export function userData({ certificate, key }: KeyPair, changes: UserDataChanges = {}): string {
  const { agent = {}, databasePassword = "pass'word $1", webSocketPort = 8443, statusFolder, callback } = changes;
  const environment: Record<string, string | null> = {
    JWT_SECRET: 'jwt',
    ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    DB_PASSWORD: "pass'word $1",
    AUTHENTICATION_METHOD: 'api-key',
    STATIC_API_KEY: 'the key of $everyone',
    GIT_REPOSITORY_URL: 'https://git.example.com/a.git',
    ...agent,
  };
  const lines = Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
  return `#cloud-config
write_files:
  - path: /srv/agent/docker-compose.yml
    permissions: '0600'
    content: |
      services:
        db:
          image: postgres:16-alpine
          environment:
            - POSTGRES_USER=agent
            - POSTGRES_PASSWORD
        agent:
          image: example.com/agent-manager:1
          env_file: {path: agent.env, format: raw}
          environment: {DB_HOST: db, DB_USERNAME: agent, DB_DATABASE: agent}
          group_add: ["\${DOCKER_GID}"]
        web:
          image: caddy:2
          ports: ["3000:3000", "${webSocketPort}:${webSocketPort}"]
          volumes:
            - ./Caddyfile:/etc/caddy/Caddyfile:ro
            - ./tls:/tls:ro${statusFolder === undefined ? '' : `\n            - ${statusFolder}:/srv/status:ro`}
  - path: /srv/agent/.env
    permissions: '0600'
    encoding: b64
    content: ${Buffer.from(`POSTGRES_PASSWORD="${databasePassword.replaceAll('$', '\\$')}"\n`).toString('base64')}
  - path: /srv/agent/agent.env
    permissions: '0600'
    content: ${JSON.stringify(`${lines.join('\n')}\n`)}
  - path: /srv/agent/Caddyfile
    content: |
      :3000 {
        tls /tls/cert.pem /tls/key.pem
        ${statusFolder === undefined ? '' : statusHandle()}
        handle {
          reverse_proxy agent:3000
        }
      }
      :${webSocketPort} {
        tls /tls/cert.pem /tls/key.pem
        reverse_proxy agent:8080
      }
  - path: /srv/agent/tls/cert.pem
    content: ${JSON.stringify(certificate)}
  - path: /srv/agent/tls/key.pem
    permissions: '0400'
    content: ${JSON.stringify(key)}${callback === undefined ? '' : callbackFile(callback)}
runcmd:
  - cd /srv/agent && docker compose up --detach
`;
}

function statusHandle(): string {
  const lines = ['root * /srv/status', 'rewrite * /status.json', 'header Cache-Control no-store', 'file_server'];
  return `handle ${STATUS_PATH} {\n          ${lines.join('\n          ')}\n        }`;
}

function callbackFile(text: string): string {
  return `
  - path: /opt/agent-manager/callback.curlrc
    permissions: '0600'
    content: ${JSON.stringify(text)}`;
}
