import { AppError, parseUrl, type Clock, type Logger } from '@agent-controller/kernel';
import { outboundRequest, type OutboundGuard } from '@agent-controller/outbound';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose';

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

const REQUEST_TIMEOUT_MS = 5_000;
/** A key that nobody knows makes us ask the issuer again, but not more often than this. */
const COOLDOWN_MS = 5_000;
const REFRESH_AFTER_MS = 10 * 60_000;
/** Keys that the issuer could not confirm for so long are not believed any more. */
const MAX_AGE_MS = 24 * 3_600_000;
/** After a failure the issuer is left in peace for so long. */
const PAUSE_MS = 2_000;

/**
 * The issuer's public keys, found by discovery (OpenID Connect Discovery 1.0) and kept. They are asked for again every 10
 * minutes beside the work, and at once for a key that is not known: keys rotate. Known keys go on working while the
 * issuer is away.
 */
export class IssuerKeys {
  #keys: RemoteKeys | null = null;
  #confirmedAt = 0;
  #refreshing: Promise<void> | null = null;
  #pausedUntil = 0;

  constructor(
    private readonly issuer: string,
    private readonly guard: OutboundGuard,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * The key that a token names.
   * @throws AppError `identity-provider-unavailable`; errors of jose when the issuer has no such key
   */
  async key(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const age = this.now() - this.#confirmedAt;
    if (!this.#keys || age > MAX_AGE_MS) await this.refresh();
    else if (age > REFRESH_AFTER_MS) void this.refresh().catch(() => undefined);
    const keys = this.#keys;
    if (!keys || this.now() - this.#confirmedAt > MAX_AGE_MS) throw unavailable();
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      this.noteFailure(error);
      throw unavailable(error);
    }
  }

  private refresh(): Promise<void> {
    this.#refreshing ??= this.discover().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  private async discover(): Promise<void> {
    try {
      const url = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const response = await this.fetch(url);
      if (!response.ok) throw new Error(`discovery answered ${response.status}`);
      const keys = createRemoteJWKSet(this.jwksUrl((await response.json()) as Record<string, unknown>), {
        cacheMaxAge: Infinity,
        cooldownDuration: COOLDOWN_MS,
        timeoutDuration: REQUEST_TIMEOUT_MS,
        [customFetch]: async (target) => {
          const answer = await this.fetch(target);
          if (answer.ok) this.#confirmedAt = this.now();
          return answer;
        },
      });
      await keys.reload();
      this.#keys = keys;
    } catch (error) {
      this.noteFailure(error);
      throw unavailable(error);
    }
  }

  private jwksUrl(configuration: Record<string, unknown>): URL {
    const { issuer, jwks_uri: address } = configuration;
    if (issuer !== this.issuer) throw new Error('discovery names another issuer');
    if (typeof address !== 'string' || !parseUrl(address)) throw new Error('discovery names no jwks_uri');
    const url = new URL(address);
    // An issuer without TLS is configured on this machine only, for development.
    if (url.protocol !== 'https:' && url.protocol !== new URL(this.issuer).protocol) {
      throw new Error('jwks_uri is not https');
    }
    return url;
  }

  /** Every request to the issuer: limited in time, without redirects, and none just after one that failed. */
  private async fetch(url: string): Promise<Response> {
    if (this.now() < this.#pausedUntil) throw new Error('the issuer did not answer just now');
    const { status, body } = await outboundRequest(this.guard, new URL(url), {
      destination: 'named-by-service',
      timeoutMs: REQUEST_TIMEOUT_MS,
      headers: { accept: 'application/json' },
    });
    return new Response(status === 204 ? null : body, { status });
  }

  private noteFailure(error: unknown): void {
    if (this.now() < this.#pausedUntil) return;
    this.#pausedUntil = this.now() + PAUSE_MS;
    const { message, code } = error as Error & { code?: string };
    this.logger.warn({ issuer: this.issuer, reason: message, code }, 'the OpenID provider could not be asked for keys');
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

/** The issuer answered, and has no key for this token. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JOSEAlgNotAllowed
  );
}

function unavailable(cause?: unknown): AppError {
  return new AppError(
    'identity-provider-unavailable',
    'The OpenID provider cannot be asked whether this token is genuine. Try again shortly.',
    { retryAfterSeconds: 5, cause },
  );
}
