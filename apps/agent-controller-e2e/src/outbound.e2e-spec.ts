import type { ClientView, Problem, ProvisioningPreviewView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { info, provision, provisionBody } from './support/provision';
import { until } from './support/until';

/** As in production: no exception for this machine, on which the emulator and its servers are. */
const STRICT = { OUTBOUND_ALLOWED_HOSTS: 'agent.example.com', OUTBOUND_ALLOWED_NETWORKS: '' };

describe('what the controller calls', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController(STRICT);
  });
  afterAll(() => installation.dispose());

  const external = { authenticationType: 'api_key', apiKey: 'an-external-key' };
  const keycloak = {
    ...{ authenticationType: 'keycloak', keycloakClientId: 'a', keycloakClientSecret: 'the-secret' },
    keycloakRealm: 'agents',
  };

  function refusal(answer: { status: number; body: unknown }, field: string) {
    const { code, errors = [] } = answer.body as Problem;
    expect([answer.status, code, errors.map((each) => each.field)]).toEqual([422, 'host-not-allowed', [field]]);
    expect(errors[0]?.message).toMatch(/^must not be called: /);
    return errors[0]?.message;
  }

  it.each([
    'https://else.example.com',
    'https://127.0.0.1:3000',
    'http://2130706433',
    'http://169.254.169.254/latest/meta-data',
    'https://[::ffff:10.0.0.1]',
    'http://localhost:5432',
    'https://agent.example.com.',
  ])('registers no agent-manager at %s', async (endpoint) => {
    const before = await installation.query('SELECT id FROM clients');
    refusal(await controller.api.post('/api/clients', { ...external, name: 'external', endpoint }), 'endpoint');
    expect(await installation.query('SELECT id FROM clients')).toEqual(before);
  });

  it('changes none to such a place, and lets the rest of it be changed', async () => {
    const endpoint = 'https://agent.example.com';
    const made = await controller.api.post<ClientView>('/api/clients', { ...external, name: 'allowed', endpoint });
    expect(made.status).toBe(201);
    const path = `/api/clients/${made.body.id}`;
    const message = refusal(await controller.api.patch(path, { endpoint: 'https://else.example.com' }), 'endpoint');
    expect(message).toMatch(/the host else\.example\.com is not allowed: .*OUTBOUND_ALLOWED_HOSTS/);
    const elsewhere = { ...keycloak, keycloakAuthServerUrl: 'https://else.example.com' };
    refusal(await controller.api.patch(path, elsewhere), 'keycloakAuthServerUrl');
    expect((await controller.api.patch<ClientView>(path, { description: 'ours' })).body).toMatchObject({
      endpoint,
      authenticationType: 'api_key',
      description: 'ours',
    });
  });

  it('orders nothing with a Keycloak that is not allowed, and is not troubled by its own', async () => {
    const before = await installation.query('SELECT id FROM clients');
    const keycloakAuthServerUrl = 'https://login.else.example.com';
    const refused = await provision(controller.api, { ...keycloak, keycloakAuthServerUrl });
    expect(refusal(refused, 'keycloakAuthServerUrl')).toMatch(/OUTBOUND_ALLOWED_HOSTS/);
    const preview = async (changes: object) =>
      (
        await controller.api.post<ProvisioningPreviewView>(
          '/api/clients/provisioning/preview',
          provisionBody({ ...keycloak, ...changes }),
        )
      ).body;
    expect((await preview({ keycloakAuthServerUrl })).problems).toMatchObject([
      { field: 'keycloakAuthServerUrl', code: 'host-not-allowed' },
    ]);
    expect((await preview({})).problems).toEqual([]);
    expect(await installation.query('SELECT id FROM clients')).toEqual(before);
    expect(await installation.emulator.serverNames()).toEqual([]);
  });

  it('sends nothing to a server whose address, as the provider tells it, is none of the internet', async () => {
    const { status, body } = await provision(controller.api);
    expect(status).toBe(202);
    const seen = await until(
      () => info(controller.api, body.id),
      ({ message }) => /is not called/.test(message ?? ''),
    );
    expect(seen).toMatchObject({ phase: 'installing' });
    expect(seen.message).toMatch(/127\.\S+ is no public address \(loopback\): .*OUTBOUND_ALLOWED_NETWORKS/);
    const gone = await controller.api.delete(`/api/clients/${body.id}/provisioning`, { prefer: 'wait=120' });
    expect(gone.status).toBe(204);
  });
});
