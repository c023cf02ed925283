import type { AgentCredentials, ClientChanges, NewClient } from '@agent-controller/clients';
import { AppError } from '@agent-controller/kernel';
import type { CreateClientDto, UpdateClientDto } from './client.dto';

const DEFAULT_WS_PORT = 8080;

export function toNewClient(body: CreateClientDto): NewClient {
  const { name, description, endpoint, agentWsPort = DEFAULT_WS_PORT, protected: isProtected } = body;
  return { name, description, endpoint, agentWsPort, isProtected, credentials: credentials(body) };
}

/** @throws AppError `validation-failed`, when nothing is to change */
export function toChanges(body: UpdateClientDto): ClientChanges {
  const { name, description, endpoint, agentWsPort, authenticationType, protected: isProtected } = body;
  const changes = {
    name,
    description,
    endpoint,
    agentWsPort,
    isProtected,
    ...(authenticationType && { credentials: credentials(body) }),
  };
  if (Object.values(changes).every((value) => value === undefined)) {
    throw new AppError('validation-failed', 'The body names nothing to change.', {
      errors: [{ field: 'body', message: 'must have at least one field' }],
    });
  }
  return changes;
}

// The fields were checked to be there for their kind.
function credentials(body: CreateClientDto | UpdateClientDto): AgentCredentials {
  if (body.authenticationType === 'api_key') return { type: 'api_key', apiKey: body.apiKey ?? '' };
  return {
    type: 'keycloak',
    authServerUrl: body.keycloakAuthServerUrl ?? '',
    realm: body.keycloakRealm ?? '',
    clientId: body.keycloakClientId ?? '',
    clientSecret: body.keycloakClientSecret ?? '',
  };
}
