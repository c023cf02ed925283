import { randomBytes } from 'node:crypto';

interface Grant {
  realm: string;
  clientId: string;
}

/** A Keycloak with any realm; a client exists once somebody used it, or when it was registered. */
export class Keycloak {
  readonly #secrets = new Map<string, string>();
  readonly #tokens = new Map<string, Grant>();

  register({ realm, clientId }: Grant, secret: string): void {
    this.#secrets.set(`${realm}\n${clientId}`, secret);
  }

  /** @returns an access token, or null when the secret is wrong */
  grant({ realm, clientId }: Grant, secret: string): string | null {
    const key = `${realm}\n${clientId}`;
    const expected = this.#secrets.get(key);
    if (expected === undefined) this.#secrets.set(key, secret);
    else if (expected !== secret) return null;
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, { realm, clientId });
    return token;
  }

  isValid(token: string, { realm, clientId }: Grant): boolean {
    const grant = this.#tokens.get(token);
    return grant?.realm === realm && grant.clientId === clientId;
  }
}
