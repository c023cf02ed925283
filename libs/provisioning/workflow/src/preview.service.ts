import { ClientRepository, nameTaken } from '@agent-controller/clients';
import type { ProviderType } from '@agent-controller/cloud-port';
import type { Caller } from '@agent-controller/kernel';
import { userDataBytes } from '@agent-controller/provisioning-bootstrap';
import { Injectable } from '@nestjs/common';
import { CatalogueService } from './catalogue/catalogue.service';
import type { ProvisionRequest } from './provision-request';
import { ProvisioningFactory } from './provisioning-factory.service';
import { UserDataService } from './user-data.service';

/** What a request would make. */
export interface Preview {
  name: string;
  providerType: ProviderType;
  serverType: string;
  location: string;
  image: string;
  /** Of the server and its public address. */
  monthlyCost: number;
  currency: string;
  /** Readable, secrets masked. */
  userData: string;
  /** As it would be sent, compressed where that is needed. */
  userDataBytes: number;
  maxUserDataBytes: number;
}

/** Says what a request would do, and creates nothing. */
@Injectable()
export class PreviewService {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly factory: ProvisioningFactory,
    private readonly clients: ClientRepository,
    private readonly userData: UserDataService,
  ) {}

  /** @throws AppError whatever the request itself would be refused with */
  async preview(request: ProvisionRequest, caller: Caller): Promise<Preview> {
    const { provider, order } = await this.catalogue.checkedOrder(request);
    const { client, reference, userData } = await this.factory.create(request, order, provider, caller);
    if (await this.clients.isNameTaken(client.name, caller.subject)) throw nameTaken(client.name);
    return {
      name: client.name,
      providerType: provider.type,
      serverType: reference.serverType,
      location: reference.location,
      image: reference.image,
      monthlyCost: order.monthlyCost,
      currency: order.currency,
      userData: this.userData.renderMasked(reference, client),
      userDataBytes: userDataBytes(userData),
      maxUserDataBytes: provider.maxUserDataBytes,
    };
  }
}
