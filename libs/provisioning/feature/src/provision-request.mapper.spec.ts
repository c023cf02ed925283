import 'reflect-metadata';
import { nastyValue } from '@agent-controller/provisioning-bootstrap/testing';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
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

  const KEYCLOAK = { authenticationType: 'keycloak', keycloakClientId: 'id', keycloakClientSecret: 'secret' };
  const FIELDS = [
    ...['providerType', 'serverType', 'location', 'image', 'name', 'description', 'apiKey', 'keycloakClientId'],
    ...['keycloakClientSecret', 'keycloakRealm', 'keycloakAuthServerUrl', 'gitRepositoryUrl', 'gitUsername'],
    ...['gitToken', 'gitPassword', 'gitPrivateKey', 'cursorApiKey', 'agentDefaultImage'],
  ];

  it('passes each text on as it came, or it was refused before', () => {
    const taken = new Set<string>();
    fc.assert(
      fc.property(fc.constantFrom(...FIELDS, 'environment'), nastyValue, (field, text) => {
        const kind = field.startsWith('keycloak') ? KEYCLOAK : { authenticationType: 'api_key' };
        const value = field === 'environment' ? { VALUE: text } : text;
        const given = { providerType: 'hetzner', serverType: 'cx23', ...kind, [field]: value };
        const made = plainToInstance(ProvisionServerDto, given);
        if (validateSync(made, { whitelist: true, forbidNonWhitelisted: true }).length > 0) return;
        taken.add(field);
        expect(textsOf(toProvisionRequest(made))).toContain(text);
      }),
      { numRuns: 5_000 },
    );
    // What is free text must not be refused for what it says.
    expect([...taken]).toEqual(expect.arrayContaining(['description', 'gitToken', 'cursorApiKey', 'environment']));
  });
});

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
