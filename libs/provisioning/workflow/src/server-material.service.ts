import type { Client } from '@agent-controller/clients';
import { createServerSecrets, createServerTls, type ServerTls } from '@agent-controller/provisioning-bootstrap';
import { Injectable } from '@nestjs/common';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningRepository } from './provisioning.repository';
import type { ProvisioningSecrets } from './provisioning.types';

/** What each server gets of its own: a TLS key pair and the secrets of its database and agent-manager. */
@Injectable()
export class ServerMaterialService {
  constructor(private readonly provisionings: ProvisioningRepository) {}

  create(
    clientId: string,
    given: Pick<ProvisioningSecrets, 'git' | 'cursorApiKey' | 'environment'>,
    now: Date,
  ): { tls: ServerTls; secrets: ProvisioningSecrets } {
    const tls = createServerTls(clientId, now);
    return { tls, secrets: { ...given, server: createServerSecrets(), tlsPrivateKeyPem: tls.privateKeyPem } };
  }

  /** New material for a replacement; what the caller once gave stays. @throws Error when that was wiped */
  renew(reference: ProvisioningReference, client: Client, now: Date): { tls: ServerTls; sealedSecrets: string } {
    const given = this.provisionings.openSecrets(reference);
    if (!given) throw new Error('The secrets of this provisioning were wiped');
    const { tls, secrets } = this.create(client.id, given, now);
    return { tls, sealedSecrets: this.provisionings.sealSecrets(reference.id, secrets) };
  }
}
