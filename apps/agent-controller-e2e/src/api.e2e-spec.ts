import type { ClientView, Problem } from '@agent-controller/contracts';
import type { Answer } from './support/api';
import { Installation, type Controller } from './support/controller-process';
import { provision, provisionBody } from './support/provision';

const PROVISION = '/api/clients/provisioning/provision';

// Each value may be as long; together they are too much for the provider.
const TOO_LONG = { A: noise(1, 16_000), B: noise(2, 16_000), C: noise(3, 16_000) };

describe('the API', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController({ CORS_ORIGIN: 'https://frontend.example.com' });
  });
  afterAll(() => installation.dispose());

  it.each(['/api/clients', '/api/docs', '/api/openapi.json', '/metrics', PROVISION])(
    '%s needs the key',
    async (path) => {
      for (const authorization of [undefined, 'Bearer wrong', 'ApiKey', `Digest ${installation.apiKey}`]) {
        const response = await fetch(controller.url + path, { headers: authorization ? { authorization } : {} });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBeTruthy();
        expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
      }
      const allowed = await fetch(controller.url + path, {
        headers: { authorization: `ApiKey ${installation.apiKey}` },
      });
      expect(allowed.status).toBe(path === PROVISION ? 405 : 200);
      expect(allowed.headers.get('allow')).toBe(path === PROVISION ? 'POST' : null);
    },
  );

  it.each(['/api/health', '/api/health/live', '/api/health/ready'])('%s does not', async (path) => {
    const response = await fetch(controller.url + path);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'ok' });
  });

  it('answers wrong bodies with one entry for each field', async () => {
    const { status, headers, body } = await controller.api.post<Problem>(PROVISION, {
      providerType: 'hetzner',
      name: 'Not A Label',
      authenticationType: 'keycloak',
      gitToken: 'a',
      gitPassword: 'secret-password',
      agentWsPort: 22,
      unknown: 1,
      environment: { JWT_SECRET: 'mine' },
      gitPrivateKey: 'x'.repeat(16_385),
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body.code).toBe('validation-failed');
    const fields = (body.errors ?? []).map(({ field }) => field).sort();
    expect(fields).toEqual(
      [
        'agentWsPort',
        'environment',
        'gitPassword',
        'gitPrivateKey',
        'keycloakClientId',
        'keycloakClientSecret',
        'name',
        'serverType',
        'unknown',
      ].sort(),
    );
    expect(JSON.stringify(body)).not.toContain('secret-password');
  });

  it.each([
    [{ providerType: 'azure' }, 404, 'provider-not-found', /hetzner, digital-ocean/],
    [{ serverType: 'cx11' }, 422, 'server-type-unknown', /cx23/],
    [{ serverType: 'cpx11' }, 422, 'server-type-unknown', /Use one of/],
    [{ serverType: 'cx53' }, 422, 'server-type-unavailable', /Use one of: ccx|Use one of|no alternative/],
    [{ serverType: 'cx23', location: 'fsn1' }, 422, 'location-unavailable', /nbg1/],
    [{ location: 'mars1' }, 422, 'location-unknown', /nbg1/],
    [{ environment: TOO_LONG }, 422, 'user-data-too-large', /32768/],
  ])('refuses case %# before anything is made', async (changes, status, code, detail) => {
    const answer = await controller.api.post<Problem>(PROVISION, provisionBody(changes));
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect(answer.body.detail).toMatch(detail);
    expect(await installation.query('SELECT 1 FROM clients')).toEqual([]);
  });

  it('refuses a taken name, malformed JSON, and other content', async () => {
    const first = await provision(controller.api, { name: 'taken' });
    const taken = await controller.api.post<Problem>(PROVISION, provisionBody({ name: 'taken' }));
    expect(taken).toMatchObject({ status: 409, body: { code: 'name-taken', errors: [{ field: 'name' }] } });
    await controller.api.delete(`/api/clients/${first.body.id}/provisioning`, { prefer: 'wait=60' });
    const headers = { authorization: `Bearer ${installation.apiKey}` };
    const send = (type: string, body: string) =>
      fetch(controller.url + PROVISION, { method: 'POST', headers: { ...headers, 'content-type': type }, body });
    expect(await (await send('application/json', '{"a":')).json()).toMatchObject({
      code: 'malformed-body',
      status: 400,
    });
    expect(await (await send('text/plain', 'hello')).json()).toMatchObject({
      code: 'unsupported-media-type',
      status: 415,
    });
    expect((await send('application/json', `"${'x'.repeat(3_000_000)}"`)).status).toBe(413);
    expect((await controller.api.get<Problem>('/api/nothing')).body).toMatchObject({ code: 'not-found', status: 404 });
  });

  it('manages agent-managers that were not provisioned here', async () => {
    const made = await controller.api.post<ClientView>('/api/clients', {
      name: 'external',
      endpoint: 'https://agent.example.com',
      authenticationType: 'api_key',
      apiKey: 'an-external-key',
    });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'external', isAutoProvisioned: false, agentWsPort: 8080 },
    });
    expect(JSON.stringify(made.body)).not.toContain('an-external-key');
    const path = `/api/clients/${made.body.id}`;
    const changed = await controller.api.patch<ClientView>(path, { description: 'ours' });
    expect(changed).toMatchObject({ status: 200, body: { description: 'ours', name: 'external' } });
    expect((await controller.api.post<ClientView>(path, { name: 'renamed' })).body.name).toBe('renamed');
    expect((await controller.api.patch(path, {})).status).toBe(400);
    expect((await controller.api.get(`${path}/provisioning/info`)).status).toBe(404);
    expect((await controller.api.delete(`${path}/provisioning`)).status).toBe(404);
    expect((await controller.api.delete(path)).status).toBe(204);
    expect((await controller.api.get(path)).status).toBe(404);
    expect(await installation.everythingStored()).not.toContain('an-external-key');
  });

  it('pages through clients', async () => {
    const names = Array.from({ length: 5 }, (_, index) => `page-${index}`);
    for (const name of names) {
      await controller.api.post('/api/clients', {
        name,
        endpoint: 'https://agent.example.com',
        authenticationType: 'api_key',
        apiKey: 'k',
      });
    }
    const seen: string[] = [];
    let path: string | undefined = '/api/clients?limit=2';
    while (path) {
      const { body, headers }: Answer<ClientView[]> = await controller.api.get<ClientView[]>(path);
      expect(body.length).toBeLessThanOrEqual(2);
      seen.push(...body.map(({ name }) => name));
      path = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual([...names].reverse());
    expect((await controller.api.get('/api/clients?limit=0')).status).toBe(400);
    expect((await controller.api.get('/api/clients?cursor=nonsense')).status).toBe(400);
    for (const { id } of (await controller.api.get<ClientView[]>('/api/clients')).body)
      await controller.api.delete(`/api/clients/${id}`);
  });

  it('keeps a provisioned client until its server is deleted', async () => {
    const { body } = await provision(controller.api, {}, { prefer: 'wait=60' });
    const refused = await controller.api.delete<Problem>(`/api/clients/${body.id}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'client-is-provisioned' } });
    expect(refused.body.detail).toContain(`DELETE /api/clients/${body.id}/provisioning`);
    expect(
      (await controller.api.patch(`/api/clients/${body.id}`, { endpoint: 'https://else.example.com' })).status,
    ).toBe(409);
    expect((await controller.api.patch(`/api/clients/${body.id}`, { description: 'mine' })).status).toBe(200);
    expect((await controller.api.delete(`/api/clients/${body.id}/provisioning`, { prefer: 'wait=60' })).status).toBe(
      204,
    );
  });

  it('describes itself, with examples', async () => {
    const { body } = await controller.api.get<{
      paths: Record<string, Record<string, unknown>>;
      components: { schemas: Record<string, { properties?: Record<string, { example?: unknown }> }> };
    }>('/api/openapi.json');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        PROVISION,
        '/api/clients/{id}/provisioning/events',
        '/api/clients/{id}/provisioning/retry',
      ]),
    );
    expect(body.components.schemas['ProvisionServerDto']?.properties?.['serverType']?.example).toBe('cx23');
    const docs = await controller.api.open('/api/docs', {});
    expect(docs.headers.get('content-type')).toContain('text/html');
    const basic = Buffer.from(`anyone:${installation.apiKey}`).toString('base64');
    expect((await fetch(`${controller.url}/api/docs`, { headers: { authorization: `Basic ${basic}` } })).status).toBe(
      200,
    );
  });

  it('lets the configured frontend in, and no other', async () => {
    const preflight = (origin: string) =>
      fetch(`${controller.url}/api/clients`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'DELETE',
          'access-control-request-headers': 'authorization',
        },
      });
    const allowed = await preflight('https://frontend.example.com');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://frontend.example.com');
    expect(allowed.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect((await preflight('https://evil.example.com')).headers.get('access-control-allow-origin')).not.toBe(
      'https://evil.example.com',
    );
  });
});

/** Text that does not compress well. */
function noise(seed: number, length: number): string {
  let state = seed;
  const characters = Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(33 + (state % 94));
  });
  return characters.join('');
}
