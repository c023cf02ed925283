import { Secret } from '@agent-controller/kernel';
import { z } from 'zod';
import { parseTrustProxy } from './http/trust-proxy';

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
const interval = z.coerce.number({ error: 'a number of seconds, such as 300' }).int().min(1).max(86_400);
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/\S+$/, 'a PostgreSQL URL: postgres://user:password@host:5432/database');
const httpUrl = z
  .string()
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), 'a URL by http or https');
// Servers send a token there. Without TLS only on this machine, where the cloud emulator stands for servers.
const publicUrl = z.string().refine((value) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || url.username || url.password || url.search || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1');
}, 'an https URL without user, query or fragment, at which servers reach this controller');
const pins = z.string().transform((value, context) => {
  const given = value.split(',').flatMap((pin) => pin.trim() || []);
  if (given.every((pin) => /^[A-Za-z0-9+/]{43}=$/.test(pin))) return given;
  context.addIssue('SHA-256 digests of public keys, base64, separated by commas');
  return z.NEVER;
});
const trustProxy = z.string().transform((value, context) => {
  const parsed = parseTrustProxy(value);
  if (parsed !== null) return parsed;
  context.addIssue('addresses and CIDRs of the proxies before this controller, separated by commas, or their number');
  return z.NEVER;
});
const image = z.string().regex(/^\S+$/, 'a container image, such as caddy:2-alpine');
const serverImage = z.string().regex(/^\S+$/, "the provider's name of an image, such as debian-13");
const secret = z.string().transform((value) => new Secret(value));

const API_KEY_KIND = 'a secret of 16 characters or more, ASCII without spaces (openssl rand -hex 32)';
// It must fit into an HTTP header, or no caller could send it.
const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, API_KEY_KIND)
  .pipe(secret);

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
  AUTHENTICATION_METHOD: oneOf('api-key'),
  STATIC_API_KEY: apiKey,
  HETZNER_API_TOKEN: optional(secret),
  HETZNER_API_BASE_URL: optional(httpUrl),
  DIGITALOCEAN_API_TOKEN: optional(secret),
  DIGITALOCEAN_API_BASE_URL: optional(httpUrl),
  KEYCLOAK_REALM: optional(z.string()),
  KEYCLOAK_AUTH_SERVER_URL: optional(httpUrl),
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
  TRUST_PROXY: optional(trustProxy),
  HEALTH_CHECK_INTERVAL_SECONDS: withDefault(interval, '300'),
  AGENT_CONNECTIONS: withDefault(connections, '50'),
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
  const problems = result.success
    ? productionProblems(result.data)
    : result.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        const isMissing = variables[name] === undefined || variables[name] === '';
        return `${name}: ${isMissing ? `is missing; set it to ${kindOf(name, issue.message)}` : `must be ${issue.message}`}`;
      });
  if (problems.length > 0)
    throw new ConfigurationError(`Wrong configuration:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  return result.data as Env;
}

const KINDS: Record<string, string> = {
  DATABASE_URL: 'a PostgreSQL URL: postgres://user:password@host:5432/database',
  ENCRYPTION_KEYS: 'base64 of 32 bytes (openssl rand -base64 32)',
  AUTHENTICATION_METHOD: 'api-key',
  STATIC_API_KEY: API_KEY_KIND,
};

function kindOf(name: string, message: string): string {
  return KINDS[name] ?? message;
}

/** The emulator stands on this machine: no real provider does. */
function productionProblems(env: Env): string[] {
  if (env.NODE_ENV !== 'production') return [];
  const urls = {
    HETZNER_API_BASE_URL: env.HETZNER_API_BASE_URL,
    DIGITALOCEAN_API_BASE_URL: env.DIGITALOCEAN_API_BASE_URL,
    PUBLIC_URL: env.PUBLIC_URL,
  };
  return Object.entries(urls)
    .filter(([, url]) => url !== undefined && new URL(url).protocol !== 'https:')
    .map(([name]) => `${name}: must be https in production; the cloud emulator is for development only`);
}
