import type { ProvisionRequest } from '@agent-controller/provisioning-workflow';
import type { ProvisionServerDto } from './provision-server.dto';
import { readSshKey } from './ssh-public-key';

const DEFAULT_WS_PORT = 8080;
const DEFAULT_AGENT_IMAGE = 'ghcr.io/forepath/agenstra-manager-worker:latest';

/** @param body validated */
export function toProvisionRequest(body: ProvisionServerDto): ProvisionRequest {
  const { providerType, serverType, location, image, name, description, cursorApiKey } = body;
  return {
    providerType,
    serverType,
    location,
    fallback: body.fallback?.map(({ serverType: type, location: place }) => ({ serverType: type, location: place })),
    image,
    sshKeys: (body.sshKeys ?? []).map(readSshKey),
    allowedCidrs: body.allowedCidrs,
    name,
    description,
    isProtected: body.protected,
    authentication: authentication(body),
    agentWsPort: body.agentWsPort ?? DEFAULT_WS_PORT,
    git: {
      repositoryUrl: body.gitRepositoryUrl,
      username: body.gitUsername,
      token: body.gitToken,
      password: body.gitPassword,
      privateKey: body.gitPrivateKey,
    },
    cursorApiKey,
    agentDefaultImage: body.agentDefaultImage ?? DEFAULT_AGENT_IMAGE,
    environment: body.environment ?? {},
  };
}

function authentication(body: ProvisionServerDto): ProvisionRequest['authentication'] {
  if (body.authenticationType === 'api_key') return { type: 'api_key', apiKey: body.apiKey };
  return {
    type: 'keycloak',
    authServerUrl: body.keycloakAuthServerUrl,
    realm: body.keycloakRealm,
    clientId: body.keycloakClientId ?? '',
    clientSecret: body.keycloakClientSecret ?? '',
  };
}
