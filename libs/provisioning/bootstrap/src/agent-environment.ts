import type { BootstrapSpec } from './bootstrap-spec';

export const DATABASE = { name: 'agent_manager', user: 'agent_manager', host: 'postgres', port: 5432 };
/** Ports inside the network of the containers. */
export const AGENT_PORTS = { api: 3000, webSocket: 8080 };

/** What callers may set otherwise through `environment`. All callers share the proxy's address, hence the high limit. */
const OVERRIDABLE_DEFAULTS = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_TTL: '60', RATE_LIMIT_LIMIT: '6000' };

/** Names of the agent-manager's variables that the renderer sets: callers may not. */
export const RESERVED_VARIABLES: readonly string[] = [
  'PORT',
  'HOST',
  'NODE_ENV',
  'WEBSOCKET_PORT',
  'WEBSOCKET_NAMESPACE',
  'DB_HOST',
  'DB_PORT',
  'DB_USERNAME',
  'DB_PASSWORD',
  'DB_DATABASE',
  'JWT_SECRET',
  'ENCRYPTION_KEY',
  'AUTHENTICATION_METHOD',
  'STATIC_API_KEY',
  'KEYCLOAK_AUTH_SERVER_URL',
  'KEYCLOAK_SERVER_URL',
  'KEYCLOAK_REALM',
  'KEYCLOAK_CLIENT_ID',
  'KEYCLOAK_CLIENT_SECRET',
  'GIT_REPOSITORY_URL',
  'GIT_USERNAME',
  'GIT_TOKEN',
  'GIT_PASSWORD',
  'GIT_PRIVATE_KEY',
  'CURSOR_API_KEY',
  'AGENT_DEFAULT_IMAGE',
];

/** Variables of the agent-manager that hold nothing secret and are the same for everyone. */
export function fixedEnvironment(): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PORT: String(AGENT_PORTS.api),
    WEBSOCKET_PORT: String(AGENT_PORTS.webSocket),
    WEBSOCKET_NAMESPACE: 'agents',
    DB_HOST: DATABASE.host,
    DB_PORT: String(DATABASE.port),
    DB_USERNAME: DATABASE.user,
    DB_DATABASE: DATABASE.name,
  };
}

/** Everything else that the agent-manager reads: secrets, and what callers gave. */
export function givenEnvironment(spec: BootstrapSpec): Record<string, string> {
  const optional = {
    GIT_REPOSITORY_URL: spec.git.repositoryUrl,
    GIT_USERNAME: spec.git.username,
    GIT_TOKEN: spec.git.token,
    GIT_PASSWORD: spec.git.password,
    GIT_PRIVATE_KEY: spec.git.privateKey,
    CURSOR_API_KEY: spec.cursorApiKey,
  };
  return {
    ...OVERRIDABLE_DEFAULTS,
    ...spec.environment,
    ...authenticationEnvironment(spec),
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    AGENT_DEFAULT_IMAGE: spec.agentDefaultImage,
    DB_PASSWORD: spec.secrets.databasePassword,
    JWT_SECRET: spec.secrets.jwtSecret,
    ENCRYPTION_KEY: spec.secrets.encryptionKey,
  };
}

function authenticationEnvironment({ authentication }: BootstrapSpec): Record<string, string> {
  if (authentication.type === 'api_key') {
    return { AUTHENTICATION_METHOD: 'api-key', STATIC_API_KEY: authentication.apiKey };
  }
  return {
    AUTHENTICATION_METHOD: 'keycloak',
    KEYCLOAK_AUTH_SERVER_URL: authentication.authServerUrl,
    KEYCLOAK_SERVER_URL: authentication.authServerUrl,
    KEYCLOAK_REALM: authentication.realm,
    KEYCLOAK_CLIENT_ID: authentication.clientId,
    KEYCLOAK_CLIENT_SECRET: authentication.clientSecret,
  };
}
