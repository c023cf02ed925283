import { ClientRepository, forbiddenUrls, nameTaken, type AgentCredentials } from '@agent-controller/clients';
import type { CloudProvider } from '@agent-controller/cloud-port';
import { AppError, type Caller } from '@agent-controller/kernel';
import { OutboundGuard } from '@agent-controller/outbound';
import { userDataBytes } from '@agent-controller/provisioning-bootstrap';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CatalogueService } from './catalogue/catalogue.service';
import { checkChoices, type ChoiceCheck, type FoundChoice } from './catalogue/fallback-check';
import { checkKeys, type KeyCheck } from './catalogue/key-check';
import { KeyListService } from './catalogue/key-list.service';
import type { OrderCheck } from './catalogue/order-check';
import type { ProvisionRequest } from './provision-request';
import { ProvisioningFactory, type NewProvisioning } from './provisioning-factory.service';
import { UserDataSizes } from './user-data-sizes';
import { UserDataService } from './user-data.service';
import { QuotaService } from './quota.service';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** What is known of a request, and everything that it would be refused for. */
export interface RequestCheck {
  /** In the order in which they matter: the request itself is refused with the first. */
  problems: AppError[];
  provider: CloudProvider | null;
  order: OrderCheck['order'] | null;
  sshKeys: KeyCheck['keys'];
  /** What is ordered where there is no room for the order itself. */
  fallback: FoundChoice[];
  /** Rows that may be saved when there are no problems; null when they could not be made. */
  made: NewProvisioning | null;
  /** Of the first server, as it would be sent; null as well when it is too long, or surely is not and nobody asked. */
  userData: string | null;
}

/** The one place that says whether a request is accepted: for the request itself and for its preview. */
@Injectable()
export class RequestCheckService {
  private readonly sizes = new UserDataSizes();

  constructor(
    private readonly catalogue: CatalogueService,
    private readonly keyLists: KeyListService,
    private readonly factory: ProvisioningFactory,
    private readonly userData: UserDataService,
    private readonly clients: ClientRepository,
    private readonly quotas: QuotaService,
    private readonly guard: OutboundGuard,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /** Whether something must be asked within the transaction that saves the rows. */
  get hasQuotas(): boolean {
    return !this.quotas.isUnlimited;
  }

  /** @throws AppError the first problem of the request */
  async accepted(request: ProvisionRequest, caller: Caller): Promise<NewProvisioning> {
    const { problems, made } = await this.check(request, caller, { isBrief: true });
    if (problems[0]) throw problems[0];
    if (!made) throw new Error('A request without problems has no rows');
    return made;
  }

  /**
   * The last word on quotas, within the transaction that saves the rows: until its end, nobody else gets past it.
   * @throws AppError `quota-exceeded`
   */
  async assertQuota({ reference }: NewProvisioning, caller: Caller, manager: EntityManager): Promise<void> {
    const problem = await this.quotas.problemWithin(reference, caller, manager);
    if (problem) throw problem;
  }

  /**
   * @param options `isBrief`: for a request that is saved at once: user data is rendered only where it might not fit, and
   *   a taken name is left to the saving
   * @throws AppError `provider-unavailable`, `provider-refused` when the provider cannot be asked
   */
  async check(request: ProvisionRequest, caller: Caller, { isBrief = false } = {}): Promise<RequestCheck> {
    const [provider, noProvider] = attempt(() => this.catalogue.provider(request.providerType));
    const [choice, keys] = provider
      ? await Promise.all([this.choice(provider, request), this.keys(provider, request)])
      : [null, null];
    const sshKeys = keys?.keys ?? [];
    const fallback = choice?.fallback ?? [];
    const [credentials, badCredentials] = attempt(() => this.factory.credentials(request));
    const nothing = { serverType: null, location: null, image: null, monthlyCost: null, currency: null };
    const found = { ...nothing, ...choice?.order, sshKeys, fallback };
    const made = provider && credentials && (await this.factory.create(request, credentials, found, provider, caller));
    const isSmall = isBrief && provider !== null && this.sizes.surelyFits(request, provider);
    const [userData, tooLarge] = attempt(() => (made && !isSmall ? this.render(made, provider) : null));
    if (userData !== null && provider) this.sizes.note(request, provider, userDataBytes(userData));
    const ofOrder = [...(choice?.problems ?? []), ...(keys?.problems ?? [])];
    const problems = [noProvider, ...ofOrder, badCredentials, await this.forbidden(credentials), tooLarge];
    // The index on names has the last word; where nothing is asked after it, it has the only one.
    const name = isBrief && !this.hasQuotas ? undefined : request.name;
    if (name !== undefined && (await this.clients.isNameTaken(name, caller.subject))) problems.push(nameTaken(name));
    if (made) problems.push(await this.quotas.problem(made.reference, caller));
    return {
      problems: problems.filter((problem) => problem !== null),
      provider,
      order: choice?.order ?? null,
      sshKeys,
      fallback,
      made,
      userData,
    };
  }

  private async choice(provider: CloudProvider, request: ProvisionRequest): Promise<ChoiceCheck> {
    const { fallback = [], image } = request;
    const main = await this.order(provider, request);
    const checks = fallback.map(({ serverType, location }) => this.order(provider, { serverType, location, image }));
    return checkChoices(main, fallback, await Promise.all(checks));
  }

  private order(
    provider: CloudProvider,
    { serverType, location, image }: Pick<ProvisionRequest, 'serverType' | 'location' | 'image'>,
  ): Promise<OrderCheck> {
    return this.catalogue.checkOrder(provider, {
      serverType,
      location,
      image: image ?? this.options.serverImages[provider.type],
      isDefaultImage: image === undefined,
    });
  }

  private async forbidden(credentials: AgentCredentials | null): Promise<AppError | null> {
    if (credentials?.type !== 'keycloak') return null;
    return forbiddenUrls(this.guard, { keycloakAuthServerUrl: credentials.authServerUrl });
  }

  private async keys(provider: CloudProvider, { sshKeys }: ProvisionRequest): Promise<KeyCheck> {
    const names = sshKeys.flatMap((key) => ('name' in key ? key.name : []));
    return checkKeys(await this.keyLists.keysFor(provider, names), sshKeys, provider.displayName);
  }

  /** What does not fit must be said now, not by the step that orders the server. */
  private render({ reference, client }: NewProvisioning, { maxUserDataBytes }: CloudProvider): string {
    return this.userData.render(reference, client, maxUserDataBytes);
  }
}

/** What it answers, or the refusal that it throws. */
function attempt<T>(work: () => T): [T, null] | [null, AppError] {
  try {
    return [work(), null];
  } catch (error) {
    if (error instanceof AppError) return [null, error];
    throw error;
  }
}
