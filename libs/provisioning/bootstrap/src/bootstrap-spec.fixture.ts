import type { BootstrapSpec } from './bootstrap-spec';

/** How the server of such a spec reaches its controller. */
export const EXAMPLE_CONTROLLER = {
  callback: {
    url: 'https://controller.example.com/api/provisioning/callbacks/11111111-1111-4111-8111-111111111111',
    token: 'example-callback-token',
    pins: [Buffer.alloc(32, 9).toString('base64')],
  },
  redemption: {
    url: 'https://controller.example.com/api/provisioning/bootstrap/11111111-1111-4111-8111-111111111111',
    token: 'example-bootstrap-token',
    pins: [Buffer.alloc(32, 9).toString('base64')],
    provisioningId: '11111111-1111-4111-8111-111111111111',
    attempt: 1,
  },
} satisfies Partial<BootstrapSpec>;

/** A spec whose values are hard to carry: quotes, dollars, newlines, comment signs. For tests. */
export function exampleSpec(changes: Partial<BootstrapSpec> = {}): BootstrapSpec {
  return {
    images: {
      agentManager: 'ghcr.io/forepath/agenstra-manager-api:latest',
      postgres: 'postgres:16-alpine',
      proxy: 'caddy:2-alpine',
    },
    agentWsPort: 8443,
    authentication: { type: 'api_key', apiKey: 'key with $dollar and "quotes"' },
    git: {
      repositoryUrl: 'https://git.example.com/team/project.git',
      username: 'robot',
      token: `it's "$HOME" $\{USER} $$ # not a comment\nsecond line: - x\n`,
      privateKey: '-----BEGIN PRIVATE KEY-----\nnot a real key\n-----END PRIVATE KEY-----\n',
    },
    cursorApiKey: 'cursor: [key] & *anchor',
    agentDefaultImage: 'ghcr.io/forepath/agenstra-manager-worker:latest',
    environment: { FURTHER_VARIABLE: 'yes', RATE_LIMIT_LIMIT: '5' },
    secrets: {
      databasePassword: 'example-database-password',
      jwtSecret: 'example-jwt-secret',
      encryptionKey: Buffer.alloc(32, 7).toString('base64'),
    },
    tls: {
      certificatePem: '-----BEGIN CERTIFICATE-----\nexample\n-----END CERTIFICATE-----\n',
      privateKeyPem: '-----BEGIN PRIVATE KEY-----\nexample\n-----END PRIVATE KEY-----\n',
      serverName: '00000000-0000-4000-8000-000000000000.agent.internal',
    },
    ...changes,
  };
}
