import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { ClientPageDto, CreateClientDto, UpdateClientDto } from './client.dto';

/** What is wrong with a body or query, by field, as the app's validation pipe finds it. */
function problems(type: new () => object, body: object): Record<string, string> {
  const errors = validateSync(plainToInstance(type, body), {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
  });
  return Object.fromEntries(
    errors.map(({ property, constraints = {} }) => [property, Object.values(constraints).join()]),
  );
}

const apiKey = { authenticationType: 'api_key', apiKey: 'key' };
const keycloak = {
  authenticationType: 'keycloak',
  keycloakAuthServerUrl: 'https://login.example.com',
  keycloakRealm: 'agents',
  keycloakClientId: 'agent-manager',
  keycloakClientSecret: 'secret',
};

describe('CreateClientDto', () => {
  const base = { name: 'team-agent', endpoint: 'https://agent.example.com' };

  it.each([
    { ...base, ...apiKey },
    { ...base, ...keycloak, description: 'Ours', agentWsPort: 8443 },
  ])('accepts %j', (body) => {
    expect(problems(CreateClientDto, body)).toEqual({});
  });

  it('misses every required field once', () => {
    expect(Object.keys(problems(CreateClientDto, {})).sort()).toEqual(['authenticationType', 'endpoint', 'name']);
    expect(problems(CreateClientDto, { ...base, authenticationType: 'api_key' })).toEqual({
      apiKey: expect.stringMatching(/^must be 1 to 4096/),
    });
    expect(Object.keys(problems(CreateClientDto, { ...base, authenticationType: 'keycloak' })).sort()).toEqual(
      Object.keys(keycloak)
        .filter((field) => field !== 'authenticationType')
        .sort(),
    );
  });

  it('refuses what belongs to another kind, and what it does not know', () => {
    const body = { ...base, ...apiKey, keycloakRealm: 'agents', isAutoProvisioned: true, owner: 'me' };
    expect(Object.keys(problems(CreateClientDto, body)).sort()).toEqual([
      'isAutoProvisioned',
      'keycloakRealm',
      'owner',
    ]);
  });
});

describe('UpdateClientDto', () => {
  it.each([{}, { name: 'other' }, { description: 'x' }, apiKey, keycloak])('accepts %j', (body) => {
    expect(problems(UpdateClientDto, body)).toEqual({});
  });

  it('wants credentials whole', () => {
    expect(Object.keys(problems(UpdateClientDto, { apiKey: 'key' }))).toEqual(['apiKey']);
    expect(Object.keys(problems(UpdateClientDto, { keycloakRealm: 'agents' }))).toEqual(['keycloakRealm']);
    expect(Object.keys(problems(UpdateClientDto, { authenticationType: 'api_key' }))).toEqual(['apiKey']);
  });

  it.each(['name', 'description', 'endpoint', 'agentWsPort', 'authenticationType'])(
    'does not take null for %s',
    (field) => {
      expect(Object.keys(problems(UpdateClientDto, { [field]: null }))).toEqual([field]);
    },
  );
});

describe('ClientPageDto', () => {
  it.each([{}, { limit: '1' }, { limit: '200' }, { cursor: 'x' }])('accepts %j', (query) => {
    expect(problems(ClientPageDto, query)).toEqual({});
  });

  it.each(['0', '201', '1.5', '-1', 'all', '', '1e9', ['1', '2']])('refuses the limit %j', (limit) => {
    expect(Object.keys(problems(ClientPageDto, { limit }))).toEqual(['limit']);
  });

  it.each(['', 'x'.repeat(257), ['a', 'b']])('refuses the cursor %j', (cursor) => {
    expect(Object.keys(problems(ClientPageDto, { cursor }))).toEqual(['cursor']);
  });
});
