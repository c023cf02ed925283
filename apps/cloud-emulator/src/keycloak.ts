import { randomBytes, timingSafeEqual } from 'node:crypto';

export interface Grant {
  realm: string;
  clientId: string;
}

/** Seconds, as Keycloak's default. */
export const TOKEN_LIFETIME = 300;

/** A Keycloak with any realm; a client exists once somebody used it, or when it was registered. */
export class Keycloak {
  readonly #secrets = new Map<string, string>();
  readonly #tokens = new Map<string, Grant & { until: number }>();

  /** The secret counts from now on; tokens that were given stay valid. */
  register(grant: Grant, secret: string): void {
    this.#secrets.set(keyOf(grant), secret);
  }

  /** @returns an access token, or null when the secret is not the one that the client was registered or first seen with */
  grant({ realm, clientId }: Grant, secret: string, now = Date.now()): string | null {
    const key = keyOf({ realm, clientId });
    const expected = this.#secrets.get(key) ?? secret;
    if (!isSame(expected, secret)) return null;
    this.#secrets.set(key, secret);
    for (const [token, { until }] of this.#tokens) if (until <= now) this.#tokens.delete(token);
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, { realm, clientId, until: now + TOKEN_LIFETIME * 1000 });
    return token;
  }

  knows(grant: Grant, secret: string): boolean {
    const expected = this.#secrets.get(keyOf(grant));
    return expected !== undefined && isSame(expected, secret);
  }

  isValid(token: string, { realm, clientId }: Grant, now = Date.now()): boolean {
    const grant = this.#tokens.get(token);
    return grant !== undefined && grant.until > now && grant.realm === realm && grant.clientId === clientId;
  }
}

function keyOf({ realm, clientId }: Grant): string {
  return JSON.stringify([realm, clientId]);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
