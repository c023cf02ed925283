import 'reflect-metadata';
import { toProvisionRequest } from './provision-request.mapper';
import { ProvisionServerDto } from './provision-server.dto';

const body = (fields: Partial<ProvisionServerDto>) =>
  Object.assign(new ProvisionServerDto(), { providerType: 'hetzner', serverType: 'cx23', ...fields });

describe('toProvisionRequest', () => {
  it('fills in the defaults', () => {
    expect(toProvisionRequest(body({ authenticationType: 'api_key' }))).toEqual({
      providerType: 'hetzner',
      serverType: 'cx23',
      sshKeys: [],
      authentication: { type: 'api_key' },
      agentWsPort: 8080,
      git: {},
      agentDefaultImage: 'ghcr.io/forepath/agenstra-manager-worker:latest',
      environment: {},
    });
  });

  it('keeps what was given', () => {
    const request = toProvisionRequest(
      body({
        authenticationType: 'keycloak',
        keycloakClientId: 'id',
        keycloakClientSecret: 'secret',
        keycloakRealm: 'realm',
        keycloakAuthServerUrl: 'https://login.example.com',
        agentWsPort: 8443,
        gitRepositoryUrl: 'url',
        gitUsername: 'user',
        gitPassword: 'password',
        gitPrivateKey: 'key',
        cursorApiKey: 'cursor',
        agentDefaultImage: 'image',
        image: 'docker-ce',
        sshKeys: ['laptop', ' ssh-rsa  AAAA  me '],
        allowedCidrs: ['2001:0db8::/32'],
        environment: { A: 'b' },
      }),
    );
    expect(request).toMatchObject({
      authentication: {
        type: 'keycloak',
        clientId: 'id',
        clientSecret: 'secret',
        realm: 'realm',
        authServerUrl: 'https://login.example.com',
      },
      agentWsPort: 8443,
      git: { repositoryUrl: 'url', username: 'user', password: 'password', privateKey: 'key' },
      cursorApiKey: 'cursor',
      agentDefaultImage: 'image',
      image: 'docker-ce',
      sshKeys: [{ name: 'laptop' }, { publicKey: 'ssh-rsa AAAA me' }],
      allowedCidrs: ['2001:0db8::/32'],
      environment: { A: 'b' },
    });
  });
});
