import { startEmulator, type RunningEmulator } from './cloud-emulator';
import { Keycloak, TOKEN_LIFETIME } from './keycloak';

const GRANT = { realm: 'realm', clientId: 'client' };

describe('Keycloak', () => {
  it('gives tokens for one client of one realm, for their lifetime', () => {
    const keycloak = new Keycloak();
    const token = keycloak.grant(GRANT, 'secret', 1_000) ?? '';
    const end = 1_000 + TOKEN_LIFETIME * 1_000;
    expect(keycloak.isValid(token, GRANT, end - 1)).toBe(true);
    expect(keycloak.isValid(token, GRANT, end)).toBe(false);
    expect(keycloak.isValid(token, { ...GRANT, realm: 'other' }, 1_001)).toBe(false);
    expect(keycloak.isValid(token, { ...GRANT, clientId: 'other' }, 1_001)).toBe(false);
    expect(keycloak.isValid('', GRANT, 1_001)).toBe(false);
  });

  it('holds a client to the secret that it came with first, or was registered with', () => {
    const keycloak = new Keycloak();
    expect(keycloak.grant(GRANT, 'first')).not.toBeNull();
    expect(keycloak.grant(GRANT, 'second')).toBeNull();
    keycloak.register(GRANT, 'second');
    expect(keycloak.grant(GRANT, 'first')).toBeNull();
    expect(keycloak.grant(GRANT, 'second')).not.toBeNull();
    expect(keycloak.grant({ ...GRANT, realm: 'other' }, 'third')).not.toBeNull();
  });
});

describe('the token endpoint', () => {
  let emulator: RunningEmulator;
  beforeAll(async () => {
    emulator = await startEmulator();
  });
  afterAll(() => emulator?.close());

  async function ask(form: Record<string, string>, authorization?: string, path = '') {
    const response = await fetch(`${emulator.url}/keycloak/realms/r/protocol/openid-connect/token${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: authorization === undefined ? {} : { authorization },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const basic = (id: string, secret: string) =>
    `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
  const grant = { grant_type: 'client_credentials' };

  it('tells a client which of its tokens are good, and nobody else', async () => {
    const registered = await ask({ ...grant, client_id: 'asker', client_secret: 'known' });
    const token = String(registered.body['access_token']);
    const tell = (form: Record<string, string>, secret = 'known') =>
      ask({ client_id: 'asker', client_secret: secret, ...form }, undefined, '/introspect');
    expect(await tell({ token })).toEqual({ status: 200, body: { active: true, client_id: 'asker' } });
    expect(await tell({ token: 'made-up' })).toEqual({ status: 200, body: { active: false } });
    expect((await tell({ token }, 'wrong')).status).toBe(401);
    expect((await tell({ token, client_id: 'never-seen' })).status).toBe(401);
  });

  it('takes client and secret from the form or from the Basic header', async () => {
    const secret = 'a: +%&=$é';
    const token = {
      status: 200,
      body: { access_token: expect.any(String), expires_in: 300, token_type: 'Bearer', scope: expect.any(String) },
    };
    expect(await ask({ ...grant, client_id: 'c d', client_secret: secret })).toEqual(token);
    expect(await ask(grant, basic('c d', secret))).toEqual(token);
    expect((await ask(grant, basic('c d', 'wrong'))).status).toBe(401);
  });

  it.each([
    { status: 400, error: 'invalid_request', form: { client_id: 'x', client_secret: 'y' } },
    { status: 400, error: 'unsupported_grant_type', form: { grant_type: 'password', client_id: 'x' } },
    { status: 401, error: 'invalid_client', form: grant },
    { status: 401, error: 'invalid_client', form: { ...grant, client_id: 'x' } },
    { status: 401, error: 'invalid_client', form: { ...grant, client_secret: 'y' } },
    { status: 401, error: 'invalid_client', form: grant, authorization: 'Basic %%%' },
  ])('answers $status $error', async ({ status, error, form, authorization }) => {
    expect(await ask(form as Record<string, string>, authorization)).toMatchObject({ status, body: { error } });
  });
});
