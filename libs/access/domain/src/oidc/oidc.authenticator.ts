import type { Clock, Logger } from '@agent-controller/kernel';
import type { OutboundGuard } from '@agent-controller/outbound';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { Authentication, Authenticator } from '../identity';
import { IssuerKeys } from './issuer-keys';
import type { OidcOptions } from './oidc.options';
import { roleOf } from './token-roles';

/** Asymmetric ones only: with HS256 the issuer's public key would be a password that everybody knows. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_SKEW_SECONDS = 30;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** `typ` of the header: RFC 9068's, or what issuers from before it write. */
const HEADER_TYPES = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];
/** OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

/** Access tokens (JWT) of one OpenID Connect issuer, such as a realm of Keycloak. */
export class OidcAuthenticator implements Authenticator {
  readonly isGuessProof = true;
  readonly #keys: IssuerKeys;

  constructor(
    private readonly options: OidcOptions,
    private readonly clock: Clock,
    logger: Logger,
    guard: OutboundGuard,
  ) {
    this.#keys = new IssuerKeys(options.issuer, guard, clock, logger);
  }

  /** @throws AppError `identity-provider-unavailable` when no known key can tell */
  async authenticate(credential: string): Promise<Authentication | null> {
    if (!JWT.test(credential)) return null;
    const { issuer, audiences, maxTokenAgeSeconds } = this.options;
    try {
      const { payload, protectedHeader } = await jwtVerify(
        credential,
        (header, token) => this.#keys.key(header, token),
        {
          issuer,
          audience: audiences,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_SKEW_SECONDS,
          requiredClaims: ['sub', 'exp'],
          currentDate: this.clock.now(),
          ...(maxTokenAgeSeconds === null ? {} : { maxTokenAge: maxTokenAgeSeconds }),
        },
      );
      const problem = unsuitable(payload, protectedHeader.typ);
      if (problem) return reject(problem, false);
      const subject = `oidc:${issuer}|${payload.sub}`;
      return { identity: { subject, role: roleOf(payload, this.options) } };
    } catch (error) {
      return rejection(error);
    }
  }
}

/** Genuine tokens that are no access tokens for us. */
function unsuitable(payload: JWTPayload, type: string | undefined): string | null {
  if (!SUBJECT.test(payload.sub ?? '')) return 'its sub is no subject';
  if (!HEADER_TYPES.includes(type?.toLowerCase())) return 'it is no access token';
  // Keycloak names the kind in the payload; an ID token has the hash of its access token.
  const kind = payload['typ'];
  if ((kind !== undefined && kind !== 'Bearer') || payload['at_hash'] !== undefined) return 'it is no access token';
  // Bound to a key of the caller's (RFC 7800), which nobody proves to us.
  if (payload['cnf'] !== undefined) return 'it is bound to a key';
  return null;
}

/** @throws the error itself when it says nothing of the token */
function rejection(error: unknown): Authentication {
  // Both are said only after the signature was found good.
  if (error instanceof errors.JWTExpired) return reject('it has expired', false);
  if (error instanceof errors.JWTClaimValidationFailed) return reject(`its ${error.claim} is not accepted`, false);
  if (error instanceof errors.JOSEError || error instanceof TypeError) return reject('it is not genuine', true);
  throw error;
}

function reject(reason: string, isGuess: boolean): Authentication {
  return { rejection: { reason, isGuess } };
}
