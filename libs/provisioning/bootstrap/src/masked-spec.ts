import type { AgentAuthentication, BootstrapSpec } from './bootstrap-spec';

const MASK = '[secret]';

/** The same spec with every secret replaced, for people to look at. Names, URLs and images stay. */
export function maskedSpec(spec: BootstrapSpec): BootstrapSpec {
  const { git } = spec;
  return {
    ...spec,
    authentication: maskedAuthentication(spec.authentication),
    git: {
      repositoryUrl: git.repositoryUrl,
      username: git.username,
      token: masked(git.token),
      password: masked(git.password),
      privateKey: masked(git.privateKey),
    },
    cursorApiKey: masked(spec.cursorApiKey),
    // Whether a variable is secret is not known: all are masked.
    environment: Object.fromEntries(Object.keys(spec.environment).map((name) => [name, MASK])),
    secrets: { databasePassword: MASK, jwtSecret: MASK, encryptionKey: MASK },
    ...(spec.callback ? { callback: { ...spec.callback, token: MASK } } : {}),
    ...(spec.redemption ? { redemption: { ...spec.redemption, token: MASK } } : {}),
    tls: { ...spec.tls, privateKeyPem: MASK },
  };
}

function maskedAuthentication(authentication: AgentAuthentication): AgentAuthentication {
  if (authentication.type === 'api_key') return { type: 'api_key', apiKey: MASK };
  return { ...authentication, clientSecret: MASK };
}

function masked(value: string | undefined): string | undefined {
  return value === undefined ? undefined : MASK;
}
