import { loopbackGuard } from '@agent-controller/outbound/testing';
import {
  base64url,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  type CryptoKey,
  type JWTPayload,
} from 'jose';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Authentication } from '../identity';
import { AUDIENCE, OpenIdProvider } from '../testing';
import { OidcAuthenticator } from './oidc.authenticator';
import type { OidcOptions } from './oidc.options';

const CLIENTS: Record<string, JWTPayload> = {
  viewer: { realm_access: { roles: ['agent-controller-viewer', 'offline_access'] } },
  operator: { resource_access: { [AUDIENCE]: { roles: ['operator'] } } },
  nobody: {},
};
const MINUTE = 60;

describe('OidcAuthenticator, against a real provider', () => {
  let provider: OpenIdProvider;
  let authenticator: OidcAuthenticator;
  let logged: object[];
  /** How much later than it is; tests move it. */
  let later: number;

  beforeAll(async () => {
    provider = await OpenIdProvider.start(CLIENTS);
  });
  afterAll(() => provider.stop());
  beforeEach(() => {
    [logged, later] = [[], 0];
    authenticator = make();
  });

  function make(changes: Partial<OidcOptions> = {}): OidcAuthenticator {
    const log = (fields: object) => void logged.push(fields);
    return new OidcAuthenticator(
      {
        ...{ issuer: provider.issuer, audiences: [AUDIENCE], clientId: AUDIENCE, rolesClaim: null },
        ...{ roleNames: { 'agent-controller-viewer': 'viewer' }, maxTokenAgeSeconds: null, ...changes },
      },
      { now: () => new Date(Date.now() + later * 1000) },
      { debug: log, info: log, warn: log, error: log },
      loopbackGuard(),
    );
  }

  const seconds = () => Math.floor(Date.now() / 1000);
  const claims = (changes: JWTPayload = {}): JWTPayload => ({
    ...{ iss: provider.issuer, aud: AUDIENCE, sub: 'someone', iat: seconds(), exp: seconds() + 5 * MINUTE },
    ...changes,
  });
  const isIn = (subject: string, role: string | null = null): Authentication => ({
    identity: { subject: `oidc:${provider.issuer}|${subject}`, role: role as 'viewer' | null },
  });
  const rejected = (reason: string, isGuess: boolean): Authentication => ({ rejection: { reason, isGuess } });
  const notGenuine = rejected('it is not genuine', true);

  it('takes its tokens, with the roles of realm and client', async () => {
    expect(await authenticator.authenticate(await provider.token('viewer'))).toEqual(isIn('viewer', 'viewer'));
    expect(await authenticator.authenticate(await provider.token('operator'))).toEqual(isIn('operator', 'operator'));
    expect(await authenticator.authenticate(await provider.token('nobody'))).toEqual(isIn('nobody'));
  });

  it.each(['a-key-of-more-than-16-characters', '', 'a.b', 'a.b.c.d', '..'])('%j is none of its', async (credential) => {
    expect(await authenticator.authenticate(credential)).toBeNull();
  });

  it.each(['RS256', 'PS384', 'ES256', 'EdDSA'])('takes %s', async (alg) => {
    await provider.rotate(alg);
    expect(await make().authenticate(await provider.sign(claims()))).toEqual(isIn('someone'));
  });

  it('refuses alg none', async () => {
    const encode = (value: object) => base64url.encode(JSON.stringify(value));
    for (const alg of ['none', 'None', 'NONE']) {
      for (const signature of ['', 'AAAA']) {
        const token = `${encode({ alg, typ: 'JWT', kid: provider.kid })}.${encode(claims())}.${signature}`;
        expect(await authenticator.authenticate(token)).toEqual(notGenuine);
      }
    }
  });

  it("refuses HS256 with the provider's public key as the password", async () => {
    await provider.rotate('RS256');
    authenticator = make();
    const jwk = await provider.publicJwk();
    const pem = await exportSPKI((await importJWK(jwk, 'RS256')) as CryptoKey);
    const secrets = [pem, pem.trim(), JSON.stringify(jwk), jwk.n ?? ''].map((text) => new TextEncoder().encode(text));
    for (const secret of secrets) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: provider.kid }).sign(secret);
      expect(await authenticator.authenticate(token)).toEqual(notGenuine);
    }
  });

  it('refuses a key that came with the token, and one of another issuer with the same kid', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const jwk = await exportJWK(publicKey);
    for (const header of [
      { kid: provider.kid },
      { kid: provider.kid, jwk },
      { kid: provider.kid, jku: 'http://127.0.0.1:1/' },
    ]) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', ...header }).sign(privateKey);
      expect(await authenticator.authenticate(token)).toEqual(notGenuine);
    }
    const other = await OpenIdProvider.start(CLIENTS);
    try {
      await other.rotate('RS256', provider.kid);
      expect(other.kid).toBe(provider.kid);
      expect(await authenticator.authenticate(await other.token('viewer'))).toEqual(notGenuine);
    } finally {
      await other.stop();
    }
  });

  it('refuses a changed payload', async () => {
    const [header, , signature] = (await provider.token('viewer')).split('.');
    const payload = base64url.encode(JSON.stringify(claims({ sub: 'admin' })));
    expect(await authenticator.authenticate(`${header}.${payload}.${signature}`)).toEqual(notGenuine);
  });

  const wrong: [string, JWTPayload, string][] = [
    ['another audience', { aud: 'another' }, 'its aud is not accepted'],
    ['no audience', { aud: undefined }, 'its aud is not accepted'],
    ['another issuer', { iss: 'https://id.example.com' }, 'its iss is not accepted'],
    ['the issuer with a slash', { iss: `${'http://127.0.0.1'}/` }, 'its iss is not accepted'],
    ['no issuer', { iss: undefined }, 'its iss is not accepted'],
    ['no subject', { sub: undefined }, 'its sub is not accepted'],
    ['an empty subject', { sub: '' }, 'its sub is no subject'],
    ['a subject with a line feed', { sub: 'a\nb' }, 'its sub is no subject'],
    ['a subject without end', { sub: 'a'.repeat(256) }, 'its sub is no subject'],
    ['no end', { exp: undefined }, 'its exp is not accepted'],
    ['an end that passed', { exp: seconds() - 60 * MINUTE }, 'it has expired'],
    ['a beginning to come', { nbf: seconds() + 600 * MINUTE }, 'its nbf is not accepted'],
    ['a key that its owner must prove', { cnf: { jkt: 'x' } }, 'it is bound to a key'],
    ['the kind of an ID token (Keycloak)', { typ: 'ID' }, 'it is no access token'],
    ['the hash that ID tokens have', { at_hash: 'x' }, 'it is no access token'],
  ];
  it.each(wrong)('refuses %s, and does not take it for a guess', async (_what, changes, reason) => {
    expect(await authenticator.authenticate(await provider.sign(claims(changes)))).toEqual(rejected(reason, false));
  });

  it.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt'])('refuses the type %s', async (typ) => {
    const token = await provider.sign(claims(), { typ });
    expect(await authenticator.authenticate(token)).toEqual(rejected('it is no access token', false));
  });

  it.each(['JWT', 'at+jwt', 'application/at+jwt', 'AT+JWT'])('takes the type %s', async (typ) => {
    expect(await authenticator.authenticate(await provider.sign(claims(), { typ }))).toEqual(isIn('someone'));
  });

  it("allows for 30 s between the issuer's clock and ours", async () => {
    for (const changes of [{ exp: seconds() - 25 }, { nbf: seconds() + 25 }]) {
      expect(await authenticator.authenticate(await provider.sign(claims(changes)))).toEqual(isIn('someone'));
    }
  });

  it('takes any of several audiences', async () => {
    const token = await provider.sign(claims({ aud: ['first', 'second'] }));
    expect(await make({ audiences: ['zero', 'second'] }).authenticate(token)).toEqual(isIn('someone'));
    expect(await provider.token('viewer', 'urn:another').then((each) => authenticator.authenticate(each))).toEqual(
      rejected('its aud is not accepted', false),
    );
  });

  it('follows the rotation of keys; what the old key signed is refused then', async () => {
    const old = await provider.token('viewer');
    expect(await authenticator.authenticate(old)).toEqual(isIn('viewer', 'viewer'));
    await provider.rotate();
    const fresh = await provider.token('viewer');
    // The issuer is not asked more often than every 5 s for a key that is not known.
    await until(async () => 'identity' in ((await authenticator.authenticate(fresh)) ?? {}));
    await until(async () => 'rejection' in ((await authenticator.authenticate(old)) ?? {}));
  });

  it('goes on with the keys that it knows while the provider is away, and answers 503 to all else', async () => {
    const known = await provider.token('viewer');
    await authenticator.authenticate(known);
    await provider.stop();
    expect(await authenticator.authenticate(known)).toEqual(isIn('viewer', 'viewer'));
    const away = { code: 'identity-provider-unavailable', options: { retryAfterSeconds: 5 } };
    await expect(make().authenticate(known)).rejects.toMatchObject(away);
    const unknown = await provider.sign(claims(), { kid: 'unknown' });
    await until(() =>
      authenticator.authenticate(unknown).then(
        () => false,
        ({ code }) => code === away.code,
      ),
    );
    expect(await authenticator.authenticate(known)).toEqual(isIn('viewer', 'viewer'));
    // For a day: who knows what happened to the keys meanwhile.
    later = 25 * 3_600;
    await expect(authenticator.authenticate(known)).rejects.toMatchObject(away);
    later = 0;
    await provider.restart();
    const back = make();
    expect(await back.authenticate(known)).toEqual(isIn('viewer', 'viewer'));
    expect(logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(logged)).not.toContain(known);
  });

  it('does not wait for a provider that takes connections and never answers', async () => {
    const known = await provider.token('viewer');
    await authenticator.authenticate(known);
    provider.freeze();
    try {
      // Time to ask anew; that is done beside the work.
      later = 11 * MINUTE;
      const token = await provider.sign(claims({ exp: seconds() + 60 * MINUTE }));
      expect(await authenticator.authenticate(token)).toEqual(isIn('someone'));
      await expect(make().authenticate(token)).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
    } finally {
      await provider.restart();
    }
  });

  it('believes no discovery that names another issuer', async () => {
    const issuer = provider.issuer.replace('127.0.0.1', 'localhost');
    const token = await provider.sign(claims({ iss: issuer }));
    await expect(make({ issuer }).authenticate(token)).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
    expect(logged).toMatchObject([{ reason: 'discovery names another issuer' }]);
  });

  it.each<[string, number, string | null, RegExp]>([
    ['a redirect', 302, null, /redirect \(302\), and redirects are not followed/],
    ['an address of keys in a private network', 200, 'https://10.0.0.1/jwks', /10\.0\.0\.1 is no public/],
    ['the metadata address for its keys', 200, 'https://169.254.169.254/jwks', /never called/],
    ['an answer without end', 200, 'x'.repeat(2_000_000), /the answer is too long/],
  ])('asks no further when discovery answers %s', async (_what, status, jwksUri, reason) => {
    const server = createServer((_request, response) => {
      // Where it leads to, a good answer would be found.
      response.writeHead(status, { location: `${provider.issuer}/.well-known/openid-configuration` });
      response.end(JSON.stringify({ issuer, jwks_uri: jwksUri }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const token = await provider.sign(claims({ iss: issuer }));
      await expect(make({ issuer }).authenticate(token)).rejects.toMatchObject({
        code: 'identity-provider-unavailable',
      });
      expect(logged).toMatchObject([{ reason: expect.stringMatching(reason) }]);
    } finally {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
  });

  it('after the end of a session: until the token expires, or until it is too old', async () => {
    const token = await provider.logIn();
    const strict = make({ maxTokenAgeSeconds: 60 });
    await provider.endSessions();
    // An access token says nothing of its session: the protocol has it valid until `exp`.
    expect(await authenticator.authenticate(token)).toEqual(isIn('alice', 'viewer'));
    expect(await strict.authenticate(token)).toEqual(isIn('alice', 'viewer'));
    later = 2 * MINUTE;
    expect(await authenticator.authenticate(token)).toEqual(isIn('alice', 'viewer'));
    expect(await strict.authenticate(token)).toEqual(rejected('it has expired', false));
    later = 6 * MINUTE;
    expect(await authenticator.authenticate(token)).toEqual(rejected('it has expired', false));
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100));
}
