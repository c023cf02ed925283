import { Client, ClientRepository, type AgentCredentials } from '@agent-controller/clients';
import type { CloudProvider } from '@agent-controller/cloud-port';
import { AppError, currentTraceParent, type Caller, type Clock } from '@agent-controller/kernel';
import type { ServerTls } from '@agent-controller/provisioning-bootstrap';
import { Inject, Injectable } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';
import type { FoundChoice } from './catalogue/fallback-check';
import type { ProvisionRequest } from './provision-request';
import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningRepository } from './provisioning.repository';
import type { ProvisioningConfiguration, ServerChoice, StoredSshKey } from './provisioning.types';
import { ServerMaterialService } from './server-material.service';
import { CLOCK } from './tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

export interface NewProvisioning {
  client: Client;
  reference: ProvisioningReference;
}

/** What was found out of a request: only where there are no problems is all of it known. */
export interface FoundOrder {
  serverType: string | null;
  location: string | null;
  image: string | null;
  monthlyCost: number | null;
  currency: string | null;
  sshKeys: StoredSshKey[];
  fallback?: FoundChoice[];
}

/** Makes the rows of a new provisioning, without saving them. */
@Injectable()
export class ProvisioningFactory {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly material: ServerMaterialService,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param credentials as `credentials` answered them
   * @param order must be complete for rows that are to be saved; user data can be made without
   */
  async create(
    request: ProvisionRequest,
    credentials: AgentCredentials,
    order: FoundOrder,
    provider: CloudProvider,
    caller: Caller,
  ): Promise<NewProvisioning> {
    const { repositoryUrl: _url, username: _name, ...git } = request.git;
    const clientId = randomUUID();
    const now = this.clock.now();
    const given = { git, cursorApiKey: request.cursorApiKey, environment: request.environment };
    const { tls, secrets } = await this.material.create(clientId, given, now);
    const client = this.client(clientId, request, credentials, tls, caller);
    const reference = this.reference(clientId, request, order, credentials, provider);
    reference.sealedSecrets = this.provisionings.sealSecrets(reference.id, secrets);
    return { client, reference };
  }

  /** What the agent-manager will be called with. @throws AppError `validation-failed` */
  credentials({ authentication }: ProvisionRequest): AgentCredentials {
    if (authentication.type === 'api_key') {
      return { type: 'api_key', apiKey: authentication.apiKey ?? randomBytes(32).toString('base64url') };
    }
    const defaults = this.options.keycloak;
    const authServerUrl = authentication.authServerUrl ?? defaults.authServerUrl;
    const realm = authentication.realm ?? defaults.realm;
    const missing = [
      ...(authServerUrl ? [] : [missingField('keycloakAuthServerUrl', 'KEYCLOAK_AUTH_SERVER_URL')]),
      ...(realm ? [] : [missingField('keycloakRealm', 'KEYCLOAK_REALM')]),
    ];
    if (!authServerUrl || !realm) {
      throw new AppError('validation-failed', 'The Keycloak settings are incomplete.', { errors: missing });
    }
    const { clientId, clientSecret } = authentication;
    return { type: 'keycloak', authServerUrl, realm, clientId, clientSecret };
  }

  private client(
    id: string,
    request: ProvisionRequest,
    credentials: AgentCredentials,
    tls: ServerTls,
    caller: Caller,
  ): Client {
    return Object.assign(new Client(), {
      id,
      owner: caller.subject,
      name: request.name ?? `agent-${randomBytes(4).toString('hex')}`,
      description: request.description ?? null,
      endpoint: null,
      agentWsPort: request.agentWsPort,
      authenticationType: credentials.type,
      isAutoProvisioned: true,
      isProtected: request.isProtected ?? false,
      sealedCredentials: this.clients.sealCredentials(id, credentials),
      tlsCertificatePem: tls.certificatePem,
      tlsSpkiSha256: tls.spkiSha256,
      tlsServerName: tls.serverName,
      agentConfig: null,
    });
  }

  private reference(
    clientId: string,
    request: ProvisionRequest,
    order: FoundOrder,
    credentials: AgentCredentials,
    provider: CloudProvider,
  ): ProvisioningReference {
    const now = this.clock.now();
    return Object.assign(new ProvisioningReference(), {
      id: randomUUID(),
      clientId,
      providerType: provider.type,
      serverType: order.serverType ?? request.serverType,
      location: order.location ?? '',
      image: order.image ?? '',
      monthlyCost: order.monthlyCost,
      currency: order.currency,
      intent: 'present' as const,
      phase: 'creating-server' as const,
      phaseSince: now,
      phaseTimes: { 'creating-server': now.toISOString() },
      attempt: 1,
      attemptSince: now,
      traceParent: currentTraceParent() ?? null,
      configuration: { ...this.configuration(request, credentials, order.sshKeys), ...choices(order) },
    });
  }

  private configuration(
    request: ProvisionRequest,
    credentials: AgentCredentials,
    sshKeys: StoredSshKey[],
  ): ProvisioningConfiguration {
    const keycloak = credentials.type === 'keycloak' ? credentials : null;
    return {
      images: this.options.images,
      agentWsPort: request.agentWsPort,
      authenticationType: credentials.type,
      keycloakAuthServerUrl: keycloak?.authServerUrl ?? null,
      keycloakRealm: keycloak?.realm ?? null,
      keycloakClientId: keycloak?.clientId ?? null,
      gitRepositoryUrl: request.git.repositoryUrl ?? null,
      gitUsername: request.git.username ?? null,
      agentDefaultImage: request.agentDefaultImage,
      environmentVariables: Object.keys(request.environment).sort(),
      sshKeys,
      ...(request.allowedCidrs ? { allowedCidrs: request.allowedCidrs } : {}),
    };
  }
}

/** Complete where there are no problems; rows that have some are not saved. */
function choices({ serverType, location, monthlyCost, currency, fallback = [] }: FoundOrder) {
  if (fallback.length === 0) return {};
  const named = ({ serverType: type, location: place, ...price }: FoundChoice): ServerChoice => ({
    ...price,
    serverType: type ?? '',
    location: place ?? '',
  });
  return { firstChoice: named({ serverType, location, monthlyCost, currency }), fallback: fallback.map(named) };
}

function missingField(field: string, variable: string) {
  return { field, message: `is required, since the controller has no default for it (${variable})` };
}
