import { ClientRepository, type Client } from '@agent-controller/clients';
import {
  maskedSpec,
  renderUserData,
  secretFiles,
  userDataBytes,
  type BootstrapSpec,
  type ServerFile,
} from '@agent-controller/provisioning-bootstrap';
import { AppError } from '@agent-controller/kernel';
import { Injectable } from '@nestjs/common';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningRepository } from './provisioning.repository';
import { CallbackTokens } from './reports/callback-tokens';

/** Renders a server's user data from what the rows hold: the same rows give the same bytes. */
@Injectable()
export class UserDataService {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly callbackTokens: CallbackTokens,
  ) {}

  /** @throws Error when the secrets were wiped */
  render(reference: ProvisioningReference, client: Client, maxBytes: number): string {
    return renderUserData(this.spec(reference, client), { maxBytes });
  }

  /** How short it can be made, where that is still too long for the provider. */
  leastBytes(reference: ProvisioningReference, client: Client): number {
    const spec = this.spec(reference, client);
    const plain = userDataBytes(renderUserData(spec, { maxBytes: Number.MAX_SAFE_INTEGER }));
    try {
      // What plain text is too long for is compressed.
      return userDataBytes(renderUserData(spec, { maxBytes: plain - 1 }));
    } catch (error) {
      if (error instanceof AppError) return plain;
      throw error;
    }
  }

  /** The same, readable and without any secret. */
  renderMasked(reference: ProvisioningReference, client: Client): string {
    return renderUserData(maskedSpec(this.spec(reference, client)), { maxBytes: Number.MAX_SAFE_INTEGER });
  }

  /** What the server of a row has to fetch. @throws Error when the secrets were wiped */
  secretFiles(reference: ProvisioningReference, client: Client): ServerFile[] {
    const callback = this.callbackTokens.acceptedCallback(reference);
    return secretFiles({ ...this.spec(reference, client), callback });
  }

  private spec(reference: ProvisioningReference, client: Client): BootstrapSpec {
    const secrets = this.provisionings.openSecrets(reference);
    const authentication = this.clients.openCredentials(client);
    if (!secrets || !authentication) throw new Error('The secrets of this provisioning were wiped');
    const { configuration } = reference;
    return {
      images: configuration.images,
      agentWsPort: configuration.agentWsPort,
      authentication,
      git: {
        ...secrets.git,
        repositoryUrl: configuration.gitRepositoryUrl ?? undefined,
        username: configuration.gitUsername ?? undefined,
      },
      cursorApiKey: secrets.cursorApiKey,
      agentDefaultImage: configuration.agentDefaultImage,
      environment: secrets.environment,
      secrets: secrets.server,
      callback: this.callbackTokens.callback(reference),
      redemption: this.callbackTokens.redemption(reference),
      tls: {
        certificatePem: client.tlsCertificatePem ?? '',
        privateKeyPem: secrets.tlsPrivateKeyPem,
        serverName: client.tlsServerName ?? '',
      },
    };
  }
}
