import {
  ApiKeyAuthenticator,
  ApiKeyFile,
  OidcAuthenticator,
  sha256,
  STATIC_SUBJECT,
  toKnownKey,
  type Authenticator,
  type KnownKey,
  type OidcOptions,
} from '@agent-controller/access';
import { systemClock, type Logger, type Role } from '@agent-controller/kernel';
import { ConfigurationError, type Env } from '../env';
import { outboundGuard } from '../outbound-guard';

export interface Authenticators {
  list: Authenticator[];
  /** How to prove who calls, for people. */
  advice: string;
  close(): void;
}

/** The ways to authenticate that are configured. @throws ConfigurationError when the file of keys cannot be used */
export function authenticators(env: Env, logger: Logger): Authenticators {
  const withKeys = env.AUTHENTICATION_METHOD.includes('api-key');
  const file = withKeys && env.API_KEYS_FILE ? openFile(env.API_KEYS_FILE, logger) : null;
  const fixed = fixedKeys(env);
  if (!withKeys && (env.STATIC_API_KEY || env.API_KEYS.length > 0 || env.API_KEYS_FILE)) {
    logger.warn(
      { method: env.AUTHENTICATION_METHOD },
      'API keys are configured, but count only with the method api-key',
    );
  }
  const oidc = env.AUTHENTICATION_METHOD.includes('keycloak') ? oidcOptions(env) : null;
  return {
    list: [
      // First, since it costs next to nothing.
      ...(withKeys ? [new ApiKeyAuthenticator(() => (file ? [...fixed, ...file.keys()] : fixed))] : []),
      ...(oidc ? [new OidcAuthenticator(oidc, systemClock, logger, outboundGuard(env))] : []),
    ],
    advice: [
      ...(withKeys ? ['Send the API key as `Authorization: Bearer KEY` or `Authorization: ApiKey KEY`.'] : []),
      ...(oidc ? [`Send an access token of ${oidc.issuer} as \`Authorization: Bearer TOKEN\`.`] : []),
    ].join(' '),
    close: () => file?.close(),
  };
}

function fixedKeys(env: Env): KnownKey[] {
  const key = env.STATIC_API_KEY;
  const own = key ? [{ digest: sha256(key.reveal()), subject: STATIC_SUBJECT, role: 'admin' as const }] : [];
  return [...own, ...env.API_KEYS.map(toKnownKey)];
}

function openFile(path: string, logger: Logger): ApiKeyFile {
  try {
    return new ApiKeyFile(path, logger);
  } catch (error) {
    throw new ConfigurationError(`Wrong configuration:\n  - API_KEYS_FILE: ${(error as Error).message}`);
  }
}

function oidcOptions(env: Env): OidcOptions {
  const audiences = (env.OIDC_AUDIENCE ?? '').split(',').map((each) => each.trim());
  const pairs = env.OIDC_ROLES.split(',').map((pair) => pair.split('=').map((part) => part.trim()) as [string, Role]);
  return {
    issuer: env.OIDC_ISSUER_URL ?? '',
    audiences,
    clientId: env.OIDC_CLIENT_ID ?? audiences[0] ?? '',
    rolesClaim: env.OIDC_ROLES_CLAIM ?? null,
    roleNames: Object.fromEntries(pairs),
    maxTokenAgeSeconds: env.OIDC_MAX_TOKEN_AGE_SECONDS ?? null,
  };
}
