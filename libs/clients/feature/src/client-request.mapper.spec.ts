import 'reflect-metadata';
import { AppError } from '@agent-controller/kernel';
import { toChanges, toNewClient } from './client-request.mapper';
import { CreateClientDto, UpdateClientDto } from './client.dto';

const keycloakFields = {
  authenticationType: 'keycloak' as const,
  keycloakAuthServerUrl: 'https://login.example.com',
  keycloakRealm: 'agents',
  keycloakClientId: 'agent-manager',
  keycloakClientSecret: 'secret',
};
const keycloak = {
  type: 'keycloak',
  authServerUrl: 'https://login.example.com',
  realm: 'agents',
  clientId: 'agent-manager',
  clientSecret: 'secret',
};

describe('toNewClient', () => {
  const base = { name: 'team-agent', endpoint: 'https://agent.example.com' };
  const create = (fields: Partial<CreateClientDto>) => toNewClient(Object.assign(new CreateClientDto(), base, fields));

  it('takes over what is given, with the default port', () => {
    expect(create({ authenticationType: 'api_key', apiKey: 'key' })).toEqual({
      ...base,
      agentWsPort: 8080,
      credentials: { type: 'api_key', apiKey: 'key' },
    });
  });

  it('takes over the settings of Keycloak, and a port of its own', () => {
    expect(create({ ...keycloakFields, agentWsPort: 8443, description: 'Ours' })).toEqual({
      ...base,
      description: 'Ours',
      agentWsPort: 8443,
      credentials: keycloak,
    });
  });
});

describe('toChanges', () => {
  const change = (fields: Partial<UpdateClientDto>) => toChanges(Object.assign(new UpdateClientDto(), fields));

  it.each<Partial<UpdateClientDto>>([
    { name: 'other' },
    { description: 'Other' },
    { endpoint: 'https://other.example.com' },
    { agentWsPort: 8443 },
  ])('changes %j and nothing else', (fields) => {
    expect(change(fields)).toEqual(fields);
    expect(change(fields)).not.toHaveProperty('credentials');
  });

  it('changes credentials as a whole', () => {
    expect(change({ authenticationType: 'api_key', apiKey: 'key' })).toEqual({
      credentials: { type: 'api_key', apiKey: 'key' },
    });
    expect(change(keycloakFields)).toEqual({ credentials: keycloak });
  });

  it('refuses a body that changes nothing', () => {
    let error: unknown;
    try {
      change({});
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'validation-failed', message: 'The body names nothing to change.' });
  });
});
