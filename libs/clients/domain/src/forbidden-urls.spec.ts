import { loopbackGuard } from '@agent-controller/outbound/testing';
import { forbiddenUrls } from './forbidden-urls';

describe('forbiddenUrls', () => {
  const guard = loopbackGuard(['127.0.0.1', '10.0.0.1']);

  it('has nothing against what is allowed, and against what is not given', async () => {
    expect(await forbiddenUrls(guard, { endpoint: 'https://127.0.0.1:3000', keycloakAuthServerUrl: null })).toBeNull();
    expect(await forbiddenUrls(guard, { endpoint: undefined })).toBeNull();
  });

  it('names every field, why, and what would help', async () => {
    const urls = { endpoint: 'https://evil.example', keycloakAuthServerUrl: 'http://10.0.0.1' };
    const endpoint =
      'must not be called: the host evil.example is not allowed: ask the operator to add it to OUTBOUND_ALLOWED_HOSTS';
    const keycloak =
      'must not be called: 10.0.0.1 is no public address (private): ask the operator to add its network to OUTBOUND_ALLOWED_NETWORKS';
    expect(await forbiddenUrls(guard, urls)).toMatchObject({
      code: 'host-not-allowed',
      message: `endpoint ${endpoint}; keycloakAuthServerUrl ${keycloak}.`,
      options: {
        errors: [
          { field: 'endpoint', message: endpoint },
          { field: 'keycloakAuthServerUrl', message: keycloak },
        ],
      },
    });
  });
});
