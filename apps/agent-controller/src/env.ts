import { API_KEY_ENTRY_KIND, parseApiKeyEntries } from '@agent-controller/access';
import { parseUrl, readCidr, ROLES, Secret } from '@agent-controller/kernel';
import { isHost, isNetwork, NetworkList } from '@agent-controller/outbound';
import { isImageReference } from '@agent-controller/validation';
import { z } from 'zod';

/** A variable that is set to nothing is not set. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: string) =>
  z.preprocess((given) => (given === undefined || given === '' ? value : given), schema);

const oneOf = <const T extends readonly string[]>(...values: T) => {
  const others = values.slice(0, -1).join(', ');
  return z.enum(values, { error: others ? `${others} or ${values.at(-1)}` : String(values[0]) });
};

const port = z.coerce.number({ error: 'a port number, such as 3100' }).int().min(0).max(65_535);
const seconds = z.coerce.number({ error: 'a number of seconds, such as 1200' }).int().min(10).max(86_400);
const connections = z.coerce.number({ error: 'a number of connections, such as 50' }).int().min(1).max(10_000);
const brief = z.coerce.number({ error: 'a number of seconds, such as 10' }).int().min(1).max(120);
const interval = z.coerce.number({ error: 'a number of seconds, such as 300' }).int().min(1).max(86_400);
const grace = z.coerce.number({ error: 'a number of seconds, such as 3600' }).int().min(1).max(2_592_000);
const retention = z.coerce.number({ error: 'a number of seconds, such as 86400' }).int().min(60).max(31_536_000);
// The database removes nothing younger than 30 days from the audit trail.
const auditDays = z.coerce.number({ error: 'a number of days, 30 or more' }).int().min(30).max(36_500);
const events = z.coerce.number({ error: 'a number of events, 100 or more' }).int().min(100).max(1_000_000);
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/\S+$/, 'a PostgreSQL URL: postgres://user:password@host:5432/database');
const httpUrl = z
  .string()
  .refine((value) => /^https?:$/.test(parseUrl(value)?.protocol ?? ''), 'a URL by http or https');
// Servers send a token there. Without TLS only on this machine, where the cloud emulator stands for servers.
const publicUrl = z.string().refine((value) => {
  const url = parseUrl(value);
  if (!url || url.username || url.password || url.search || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1');
}, 'an https URL without user, query or fragment, at which servers reach this controller');
const pins = z.string().transform((value, context) => {
  const given = value.split(',').flatMap((pin) => pin.trim() || []);
  if (given.every((pin) => /^[A-Za-z0-9+/]{43}=$/.test(pin))) return given;
  context.addIssue('SHA-256 digests of public keys, base64, separated by commas');
  return z.NEVER;
});
const image = z.string().refine(isImageReference, 'a container image, such as caddy:2-alpine');
const serverImage = z.string().regex(/^\S+$/, "the provider's name of an image, such as debian-13");
const secret = z.string().transform((value) => new Secret(value));

const API_KEY_KIND = 'a secret of 16 characters or more, ASCII without spaces (openssl rand -hex 32)';
// It must fit into an HTTP header, or no caller could send it.
const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, API_KEY_KIND)
  .pipe(secret);

const apiKeyEntries = z.string().transform((value, context) => {
  try {
    return parseApiKeyEntries(value);
  } catch (error) {
    context.addIssue(`a list with commas, each ${API_KEY_ENTRY_KIND}: ${(error as Error).message}`);
    return z.NEVER;
  }
});
// It names who may spend money. Without TLS only on this machine, for tests.
const issuer = z.string().refine((value) => {
  const url = parseUrl(value);
  if (!url || url.username || url.password || url.search || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1');
}, 'the https URL of an OpenID Connect issuer, exactly as it stands in `iss`, such as https://id.example.com/realms/agents');
const roleNames = z.string().refine(
  (value) =>
    value.split(',').every((pair) => {
      const [name, role, ...rest] = pair.split('=').map((part) => part.trim());
      return name && ROLES.some((each) => each === role) && rest.length === 0;
    }),
  `NAME=ROLE, separated by commas, with a role of ${ROLES.join(', ')}`,
);
// By address, not by their number: a caller who connects directly could make up as many hops as are wanted.
const trustedProxies = z
  .string()
  .refine(
    (value) => value.split(',').every((part) => isNetwork(part.trim())),
    'addresses or networks, separated by commas, such as 10.0.0.0/8',
  );
/** With what requests allow, within what both providers take in one firewall. */
const MAX_CONTROLLER_CIDRS = 20;
const controllerCidrs = z.string().transform((value, context) => {
  const given = value.split(',').flatMap((part) => part.trim() || []);
  const read = given.map(readCidr);
  if (read.every(({ problem }) => problem === null) && given.length <= MAX_CONTROLLER_CIDRS) return given;
  const wrong = read.findIndex(({ problem }) => problem !== null);
  const which = wrong < 0 ? '' : ` (entry ${wrong + 1} is none)`;
  context.addIssue(
    `at most ${MAX_CONTROLLER_CIDRS} networks such as 198.51.100.7/32 or 2001:db8::/64, separated by commas${which}`,
  );
  return z.NEVER;
});
const atLeastNone = z.coerce.number({ error: 'a number, 0 or more' }).min(0).max(1e9);
const count = atLeastNone.int();

const listOf = (isEntry: (text: string) => boolean, kind: string) =>
  z.string().transform((value, context) => {
    const entries = value.split(',').flatMap((entry) => entry.trim() || []);
    if (entries.every(isEntry)) return entries;
    context.addIssue(kind);
    return z.NEVER;
  });
const hosts = listOf(
  isHost,
  'hosts, separated by commas, such as login.example.com, *.example.com or login.example.com:8443',
);
const networks = listOf(isNetwork, 'addresses or networks, separated by commas, such as 10.1.0.0/16');

const otlpHeaders = z
  .string()
  .regex(/^\s*[\w-]+=[^\s,]+(\s*,\s*[\w-]+=[^\s,]+)*\s*$/, 'NAME=VALUE, separated by commas')
  .pipe(secret);
const sampler = oneOf(
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
);
const share = z.coerce.number({ error: 'a share of traces from 0 to 1, such as 0.1' }).min(0).max(1);

const encryptionKeys = z.string().transform((value, context) => {
  const keys = value.split(',').map((key) => Buffer.from(key.trim(), 'base64'));
  if (keys.every((key) => key.length === 32)) return keys;
  context.addIssue('base64 of 32 bytes (openssl rand -base64 32); several, separated by commas, the first seals');
  return z.NEVER;
});

const schema = z.object({
  NODE_ENV: withDefault(oneOf('development', 'production', 'test'), 'development'),
  HOST: withDefault(z.string(), '127.0.0.1'),
  PORT: withDefault(port, '3100'),
  DATABASE_URL: postgresUrl,
  DATABASE_DIRECT_URL: optional(postgresUrl),
  ENCRYPTION_KEYS: encryptionKeys,
  AUTHENTICATION_METHOD: oneOf('api-key', 'keycloak', 'api-key,keycloak'),
  STATIC_API_KEY: optional(apiKey),
  API_KEYS: withDefault(apiKeyEntries, ''),
  API_KEYS_FILE: optional(z.string()),
  OIDC_ISSUER_URL: optional(issuer),
  OIDC_AUDIENCE: optional(z.string()),
  OIDC_CLIENT_ID: optional(z.string()),
  OIDC_ROLES_CLAIM: optional(z.string()),
  OIDC_ROLES: withDefault(
    roleNames,
    'agent-controller-viewer=viewer,agent-controller-operator=operator,agent-controller-admin=admin',
  ),
  OIDC_MAX_TOKEN_AGE_SECONDS: optional(interval),
  CALLER_RATE_LIMIT: withDefault(count, '3000'),
  FAILED_AUTHENTICATION_LIMIT: withDefault(count, '30'),
  TRUST_PROXY: optional(trustedProxies),
  CONTROLLER_CIDRS: withDefault(controllerCidrs, ''),
  HEADERS_TIMEOUT_SECONDS: withDefault(interval, '15'),
  REQUEST_TIMEOUT_SECONDS: withDefault(interval, '60'),
  MAX_SERVERS: optional(count),
  MAX_SERVERS_PER_OWNER: optional(count),
  MAX_MONTHLY_COST: optional(atLeastNone),
  MAX_MONTHLY_COST_PER_OWNER: optional(atLeastNone),
  HETZNER_API_TOKEN: optional(secret),
  HETZNER_API_BASE_URL: optional(httpUrl),
  DIGITALOCEAN_API_TOKEN: optional(secret),
  DIGITALOCEAN_API_BASE_URL: optional(httpUrl),
  KEYCLOAK_REALM: optional(z.string()),
  KEYCLOAK_AUTH_SERVER_URL: optional(httpUrl),
  OUTBOUND_ALLOWED_HOSTS: withDefault(hosts, ''),
  OUTBOUND_ALLOWED_NETWORKS: withDefault(networks, ''),
  AGENT_MANAGER_IMAGE: withDefault(image, 'ghcr.io/forepath/agenstra-manager-api:latest'),
  POSTGRES_IMAGE: withDefault(image, 'postgres:16-alpine'),
  PROXY_IMAGE: withDefault(image, 'caddy:2-alpine'),
  SERVER_IMAGE_HETZNER: withDefault(serverImage, 'debian-13'),
  SERVER_IMAGE_DIGITALOCEAN: withDefault(serverImage, 'debian-13-x64'),
  PROVISIONING_TIMEOUT_SECONDS: withDefault(seconds, '1200'),
  CREATING_SERVER_TIMEOUT_SECONDS: withDefault(seconds, '1200'),
  BOOTING_TIMEOUT_SECONDS: withDefault(seconds, '600'),
  INSTALLING_TIMEOUT_SECONDS: withDefault(seconds, '900'),
  STARTING_TIMEOUT_SECONDS: withDefault(seconds, '900'),
  PUBLIC_URL: optional(publicUrl),
  PUBLIC_URL_PINS: withDefault(pins, ''),
  PROVIDER_TIMEOUT_SECONDS: withDefault(brief, '30'),
  LEASE_SECONDS: withDefault(brief, '10'),
  HEARTBEAT_SECONDS: withDefault(brief, '5'),
  HEALTH_CHECK_INTERVAL_SECONDS: withDefault(interval, '300'),
  AGENT_CONNECTIONS: withDefault(connections, '50'),
  SWEEP_INTERVAL_SECONDS: withDefault(interval, '300'),
  ORPHAN_POLICY: withDefault(oneOf('report', 'delete'), 'report'),
  ORPHAN_GRACE_SECONDS: withDefault(grace, '3600'),
  LOST_AFTER_SECONDS: withDefault(interval, '300'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(httpUrl),
  OTEL_EXPORTER_OTLP_HEADERS: optional(otlpHeaders),
  OTEL_SERVICE_NAME: withDefault(z.string(), 'agent-controller'),
  OTEL_TRACES_SAMPLER: withDefault(sampler, 'parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: optional(share),
  TOMBSTONE_RETENTION_SECONDS: withDefault(retention, '86400'),
  IDEMPOTENCY_RETENTION_SECONDS: withDefault(retention, '86400'),
  FAILED_SECRETS_RETENTION_SECONDS: withDefault(retention, '604800'),
  FAILED_JOB_RETENTION_SECONDS: withDefault(retention, '604800'),
  EVENTS_PER_CLIENT: withDefault(events, '1000'),
  AUDIT_RETENTION_DAYS: optional(auditDays),
  LOG_LEVEL: withDefault(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'), 'info'),
  CORS_ORIGIN: optional(z.string()),
});

export type Env = z.infer<typeof schema>;

/** Names of all variables; `.env.example` lists the same. */
export const ENV_VARIABLES = Object.keys(schema.shape);

/** A configuration with which the controller must not start. Its message names variables, never values. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** @throws ConfigurationError that has a line for each wrong variable */
export function parseEnv(variables: Record<string, string | undefined> = process.env): Env {
  const result = schema.safeParse(variables);
  const wrong = result.success ? productionProblems(result.data) : wrongVariables(result.error, variables);
  assertNone([...wrong, ...missingForAuthentication(variables).map((name) => missing(name))]);
  return result.data as Env;
}

const rotationSchema = schema.pick({ DATABASE_URL: true, DATABASE_DIRECT_URL: true, ENCRYPTION_KEYS: true });

/** What `rotate-keys` needs. @throws ConfigurationError that has a line for each wrong variable */
export function parseRotationEnv(
  variables: Record<string, string | undefined> = process.env,
): z.infer<typeof rotationSchema> {
  const result = rotationSchema.safeParse(variables);
  assertNone(result.success ? [] : wrongVariables(result.error, variables));
  return result.data as z.infer<typeof rotationSchema>;
}

function wrongVariables({ issues }: z.ZodError, variables: Record<string, string | undefined>): string[] {
  return issues.map((issue) => {
    const name = String(issue.path[0]);
    return variables[name] ? `${name}: must be ${issue.message}` : missing(name, issue.message);
  });
}

function assertNone(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new ConfigurationError(`Wrong configuration:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
}

const KINDS: Record<string, string> = {
  DATABASE_URL: 'a PostgreSQL URL: postgres://user:password@host:5432/database',
  ENCRYPTION_KEYS: 'base64 of 32 bytes (openssl rand -base64 32)',
  AUTHENTICATION_METHOD: 'api-key',
  STATIC_API_KEY: API_KEY_KIND,
  OIDC_ISSUER_URL: 'the https URL of an OpenID Connect issuer, such as https://id.example.com/realms/agents',
  OIDC_AUDIENCE: 'what must be in the `aud` of access tokens, such as agent-controller',
};

function missing(name: string, message = ''): string {
  return `${name}: is missing; set it to ${KINDS[name] ?? message}`;
}

/** What each way to authenticate cannot do without. */
function missingForAuthentication(variables: Record<string, string | undefined>): string[] {
  const method = variables['AUTHENTICATION_METHOD'] || 'api-key';
  const hasKey = ['STATIC_API_KEY', 'API_KEYS', 'API_KEYS_FILE'].some((name) => variables[name]);
  const names = ['OIDC_ISSUER_URL', 'OIDC_AUDIENCE'].filter((name) => !variables[name]);
  return [
    ...(method !== 'keycloak' && !hasKey ? ['STATIC_API_KEY'] : []),
    ...(method.includes('keycloak') ? names : []),
  ];
}

/** The emulator stands on this machine: no real provider does. */
function productionProblems(env: Env): string[] {
  if (env.NODE_ENV !== 'production') return [];
  const urls = {
    HETZNER_API_BASE_URL: env.HETZNER_API_BASE_URL,
    DIGITALOCEAN_API_BASE_URL: env.DIGITALOCEAN_API_BASE_URL,
    PUBLIC_URL: env.PUBLIC_URL,
    OIDC_ISSUER_URL: env.OIDC_ISSUER_URL,
  };
  const networks = env.OUTBOUND_ALLOWED_NETWORKS.filter(isTooWide).map(
    (network) => `OUTBOUND_ALLOWED_NETWORKS: ${network} is too wide for production: name the networks that are meant`,
  );
  const insecure = Object.entries(urls)
    .filter(([, url]) => url !== undefined && new URL(url).protocol !== 'https:')
    .map(([name]) => `${name}: must be https in production; the cloud emulator is for development only`);
  return [...insecure, ...networks];
}

/** This machine itself, or what may as well be everything. */
function isTooWide(network: string): boolean {
  const [address = '', bits] = network.split('/');
  const list = new NetworkList([network]);
  if (list.has('127.0.0.1') || list.has('::1') || list.has('169.254.169.254')) return true;
  return Number(bits ?? 128) < (address.includes(':') ? 32 : 8);
}
