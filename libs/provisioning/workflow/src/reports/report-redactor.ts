import { ClientRepository } from '@agent-controller/clients';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository } from '../provisioning.repository';
import { redacted } from './redaction';
import type { ServerReport } from './server-report';

/** Takes a provisioning's secrets out of what its server says. Only a failure has text: no other report opens any. */
@Injectable()
export class ReportRedactor {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
  ) {}

  async clean(
    report: ServerReport,
    reference: Readonly<ProvisioningReference>,
    manager?: EntityManager,
  ): Promise<ServerReport> {
    if (!report.error) return report;
    const client = await this.clients.get(reference.clientId, manager);
    const credentials = client && this.clients.openCredentials(client);
    return redacted(report, this.provisionings.openSecrets(reference), credentials);
  }
}
