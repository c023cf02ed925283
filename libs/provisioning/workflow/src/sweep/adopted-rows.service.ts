import { Client, ClientRepository } from '@agent-controller/clients';
import { publicAddress, type CloudProvider, type CloudServer, type OwnerTag } from '@agent-controller/cloud-port';
import { AppError, type Caller } from '@agent-controller/kernel';
import { spkiSha256 as pinOf } from '@agent-controller/provisioning-bootstrap';
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID, X509Certificate } from 'node:crypto';
import { agentEndpoint } from '../agent/agent-target';
import type { Phase } from '../phases';
import type { NewProvisioning } from '../provisioning-factory.service';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { serverColumns } from '../provisioning.repository';
import type { ProvisioningFailure } from '../provisioning.types';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';

/** What a caller knows of an orphan's agent-manager. */
export interface AdoptionRequest {
  /** Made from the server's name when absent. */
  name?: string;
  description?: string;
  /** With `spkiSha256` or `certificatePem`: the agent-manager is looked at, and gets ready. */
  apiKey?: string;
  /** SHA-256 of the server's public key, base64. */
  spkiSha256?: string;
  certificatePem?: string;
  agentWsPort?: number;
}

export interface AdoptionContext {
  provider: CloudProvider;
  sentinelId: string;
  request: AdoptionRequest;
  caller: Caller;
  now: Date;
}

const DEFAULT_WS_PORT = 8080;
const HOSTNAME_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Makes the rows of an adopted server, without saving them. */
@Injectable()
export class AdoptedRows {
  constructor(
    private readonly clients: ClientRepository,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'images'>,
  ) {}

  /**
   * The columns that make the agent-manager callable; null when the request has not all of them.
   * @throws AppError `validation-failed`
   */
  access(clientId: string, { apiKey, ...request }: AdoptionRequest): Partial<Client> | null {
    const tls = tlsOf(request, clientId);
    if (!tls || apiKey === undefined) return null;
    return {
      sealedCredentials: this.clients.sealCredentials(clientId, { type: 'api_key', apiKey }),
      tlsCertificatePem: tls.certificatePem,
      tlsSpkiSha256: tls.spkiSha256,
      tlsServerName: tls.serverName,
    };
  }

  /** @throws AppError `validation-failed` */
  create(server: CloudServer & { owner: OwnerTag }, context: AdoptionContext): NewProvisioning {
    const clientId = randomUUID();
    const access = this.access(clientId, context.request);
    const phase: Phase = !access ? 'failed' : isUp(server) ? 'starting' : 'booting';
    return {
      client: Object.assign(this.client(clientId, server, { ...context, phase }), access),
      reference: this.reference(clientId, server, { ...context, phase }),
    };
  }

  private client(
    id: string,
    server: CloudServer & { owner: OwnerTag },
    { request, caller, phase }: AdoptionContext & { phase: Phase },
  ): Client {
    const address = publicAddress(server);
    return Object.assign(new Client(), {
      id,
      owner: caller.subject,
      name: request.name ?? nameOf(server),
      description: request.description ?? null,
      endpoint: phase !== 'booting' && address ? agentEndpoint(address) : null,
      agentWsPort: request.agentWsPort ?? DEFAULT_WS_PORT,
      authenticationType: 'api_key' as const,
      isAutoProvisioned: true,
      sealedCredentials: null,
      tlsCertificatePem: null,
      tlsSpkiSha256: null,
      tlsServerName: null,
      agentConfig: null,
    });
  }

  private reference(
    clientId: string,
    server: CloudServer & { owner: OwnerTag },
    { provider, sentinelId, request, now, phase }: AdoptionContext & { phase: Phase },
  ): ProvisioningReference {
    return Object.assign(new ProvisioningReference(), {
      id: server.owner.provisioningId,
      clientId,
      providerType: provider.type,
      serverType: server.serverType,
      location: server.location,
      image: server.image ?? '',
      ...serverColumns(server),
      observedAt: now,
      sentinelId,
      // So that a deletion looks for further servers of the provisioning.
      createRequestedAt: server.createdAt,
      intent: 'present' as const,
      phase,
      phaseSince: now,
      phaseTimes: { [phase]: now.toISOString() },
      attempt: server.owner.attempt,
      attemptSince: now,
      lastError: phase === 'failed' ? withoutCredentials(now) : null,
      configuration: this.configuration(request),
      sealedSecrets: null,
    });
  }

  /** Nobody knows what was asked for. */
  private configuration({ agentWsPort }: AdoptionRequest): ProvisioningReference['configuration'] {
    return {
      images: this.options.images,
      agentWsPort: agentWsPort ?? DEFAULT_WS_PORT,
      authenticationType: 'api_key',
      keycloakAuthServerUrl: null,
      keycloakRealm: null,
      keycloakClientId: null,
      gitRepositoryUrl: null,
      gitUsername: null,
      agentDefaultImage: '',
      environmentVariables: [],
      sshKeys: [],
    };
  }
}

interface AdoptedTls {
  certificatePem: string | null;
  spkiSha256: string;
  serverName: string;
}

/** The pin decides; the certificate, where there is one, must fit it, and has the name. */
function tlsOf({ spkiSha256, certificatePem }: AdoptionRequest, clientId: string): AdoptedTls | null {
  // The proxy on the server answers whatever name is asked for.
  const anyName = `${clientId}.agent.internal`;
  if (certificatePem === undefined) {
    return spkiSha256 === undefined ? null : { certificatePem: null, spkiSha256, serverName: anyName };
  }
  const certificate = parse(certificatePem);
  if (!certificate) throw wrong('certificatePem', 'must be a certificate in PEM');
  const pin = pinOf(certificatePem);
  if (spkiSha256 !== undefined && spkiSha256 !== pin) {
    throw wrong('spkiSha256', 'must be the SHA-256 of the public key of certificatePem');
  }
  const serverName = /DNS:([^,\s]+)/.exec(certificate.subjectAltName ?? '')?.[1] ?? anyName;
  return { certificatePem, spkiSha256: pin, serverName };
}

function parse(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function wrong(field: string, message: string): AppError {
  return new AppError('validation-failed', `The request is not valid. See: ${field}.`, {
    errors: [{ field, message }],
  });
}

export function isUp(server: CloudServer): boolean {
  return server.status === 'running' && publicAddress(server) !== null;
}

/** Server names are unique to their provisioning and attempt; one that was changed by hand may be anything. */
function nameOf({ name, owner }: CloudServer & { owner: OwnerTag }): string {
  return HOSTNAME_LABEL.test(name) ? name : `adopted-${owner.provisioningId.slice(0, 8)}-${owner.attempt}`;
}

function withoutCredentials(now: Date): ProvisioningFailure {
  return {
    code: 'adopted-without-credentials',
    message: 'The server was adopted, but neither the API key of its agent-manager nor its TLS key is known.',
    action: 'Delete it: the server is billed until then. Or adopt it with apiKey and spkiSha256, if you know them.',
    phase: 'failed',
    at: now.toISOString(),
  };
}
