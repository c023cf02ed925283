import { AUDIENCE, OpenIdProvider } from '@agent-controller/access/testing';
import type { ClientView, Problem } from '@agent-controller/contracts';
import { Api } from './support/api';
import { newKey } from './support/api-keys';
import { Installation, type Controller } from './support/controller-process';
import { provision } from './support/provision';
import { until } from './support/until';

describe('with an OpenID provider', () => {
  const extra = newKey('extra', 'admin');
  let installation: Installation;
  let provider: OpenIdProvider;
  let controller: Controller;

  beforeAll(async () => {
    [installation, provider] = await Promise.all([
      Installation.create(),
      OpenIdProvider.start({
        ...{ viewer: { groups: ['staff'] }, operator: { realm_access: { roles: ['agent-controller-operator'] } } },
        ...{ admin: { resource_access: { [AUDIENCE]: { roles: ['admin'] } } }, nobody: {} },
      }),
    ]);
    controller = await installation.startController(settings());
  });
  afterAll(async () => {
    await provider.stop();
    await installation.dispose();
  });

  const settings = (changes: Record<string, string> = {}) => ({
    AUTHENTICATION_METHOD: 'keycloak',
    // They must not count: only the method that is named does.
    API_KEYS: extra.entry,
    OIDC_ISSUER_URL: provider.issuer,
    OIDC_AUDIENCE: AUDIENCE,
    OIDC_ROLES_CLAIM: 'groups',
    OIDC_ROLES: 'agent-controller-operator=operator,staff=viewer',
    ...changes,
  });
  const as = async (client: string) => new Api(controller.url, await provider.token(client));
  const get = (token: string) => new Api(controller.url, token).get<Problem>('/api/clients');

  it('lets in by role, and each to what is theirs', async () => {
    const [viewer, operator, admin] = [await as('viewer'), await as('operator'), await as('admin')];
    const made = await provision(operator);
    expect(made.status).toBe(202);
    expect(made.body.owner).toBe(`oidc:${provider.issuer}|operator`);
    expect((await viewer.get(`/api/clients/${made.body.id}`)).status).toBe(404);
    expect((await provision(viewer)).status).toBe(403);
    expect((await admin.get<ClientView[]>('/api/clients')).body.map(({ id }) => id)).toEqual([made.body.id]);
    expect((await admin.get('/api/audit')).status).toBe(200);
    expect((await operator.delete(`/api/clients/${made.body.id}/provisioning`)).status).toBe(202);
    const nobody = await (await as('nobody')).get<Problem>('/api/clients');
    expect(nobody).toMatchObject({ status: 403, body: { code: 'forbidden', neededRole: 'viewer' } });
  });

  it('takes no API key, and says what is wrong with a token', async () => {
    const unauthorized = { status: 401, body: { code: 'unauthorized' } };
    for (const key of [installation.apiKey, extra.key]) expect(await get(key)).toMatchObject(unauthorized);
    const soon = Math.floor(Date.now() / 1000) + 300;
    const claims = { iss: provider.issuer, aud: AUDIENCE, sub: 'someone', exp: soon, groups: ['staff'] };
    expect((await get(await provider.sign(claims))).status).toBe(200);
    const expired = await get(await provider.sign({ ...claims, exp: soon - 3_600 }));
    expect(expired).toMatchObject(unauthorized);
    expect(expired.headers.get('www-authenticate')).toContain(
      'error="invalid_token", error_description="it has expired"',
    );
    expect(await get(await provider.sign({ ...claims, aud: 'another' }))).toMatchObject(unauthorized);
    expect(await get(await provider.sign({ ...claims, nbf: soon }))).toMatchObject(unauthorized);
  });

  it('answers 503 while the provider is away and the key is not known, and never lets in or out by mistake', async () => {
    const token = await provider.token('viewer');
    const fresh = await installation.startController(settings());
    await provider.stop();
    const away = await new Api(fresh.url, token).get<Problem>('/api/clients');
    expect(away).toMatchObject({ status: 503, body: { code: 'identity-provider-unavailable' } });
    expect(away.headers.get('retry-after')).toBe('5');
    expect((await get(token)).status).toBe(200);
    expect((await fetch(`${fresh.url}/api/health`)).status).toBe(200);
    await provider.restart();
    await until(
      () => new Api(fresh.url, token).get('/api/clients'),
      ({ status }) => status === 200,
    );
    expect(await fresh.wholeLog()).not.toContain(token);
  });

  it('follows the rotation of keys', async () => {
    await provider.rotate('ES256');
    const token = await provider.token('viewer');
    await until(
      () => get(token),
      ({ status }) => status === 200,
    );
  });

  it('takes keys as well only when both are configured', async () => {
    const both = await installation.startController(settings({ AUTHENTICATION_METHOD: 'api-key,keycloak' }));
    for (const credential of [installation.apiKey, extra.key, await provider.token('viewer')]) {
      expect((await new Api(both.url, credential).get('/api/clients')).status).toBe(200);
    }
    expect((await new Api(both.url, 'a.wrong.token').get('/api/clients')).status).toBe(401);
  });
});
