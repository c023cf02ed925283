import type { ProviderType } from '@agent-controller/cloud-port';
import type { AppError, Caller } from '@agent-controller/kernel';
import { userDataBytes } from '@agent-controller/provisioning-bootstrap';
import { Injectable } from '@nestjs/common';
import type { FoundChoice } from './catalogue/fallback-check';
import { FirewallService } from './firewall/firewall.service';
import type { ProvisionRequest } from './provision-request';
import type { NewProvisioning } from './provisioning-factory.service';
import type { StoredSshKey } from './provisioning.types';
import { RequestCheckService } from './request-check.service';
import { UserDataService } from './user-data.service';

export interface PreviewProblem {
  /** Null when it is about no single field. */
  field: string | null;
  code: AppError['code'];
  message: string;
  alternatives?: string[];
}

/** What a request would make. What cannot be said is null; then a problem says why. */
export interface Preview {
  name: string | null;
  providerType: ProviderType | null;
  serverType: string | null;
  location: string | null;
  image: string | null;
  /** Whether the boot lab has shown that servers from this image get ready. */
  isProvenImage: boolean | null;
  sshKeys: StoredSshKey[];
  /** What the server's firewall lets in, by TCP. */
  inbound: { port: number; sources: string[] }[] | null;
  /** What is ordered instead where there is no room, in this order, with its price. */
  fallback: FoundChoice[];
  /** Of the server and its public address. */
  monthlyCost: number | null;
  currency: string | null;
  /** Readable, secrets masked. */
  userData: string | null;
  /** As it would be sent, compressed where that is needed. */
  userDataBytes: number | null;
  maxUserDataBytes: number | null;
  /** What the request would be refused for; empty when it would be accepted. */
  problems: PreviewProblem[];
}

/** Says what a request would do, and creates nothing. */
@Injectable()
export class PreviewService {
  constructor(
    private readonly requests: RequestCheckService,
    private readonly userData: UserDataService,
    private readonly firewalls: FirewallService,
  ) {}

  /** @throws AppError `provider-unavailable`, `provider-refused` when the provider cannot be asked */
  async preview(request: ProvisionRequest, caller: Caller): Promise<Preview> {
    const { problems, provider, order, sshKeys, fallback, made, userData } = await this.requests.check(request, caller);
    return {
      name: made?.client.name ?? request.name ?? null,
      providerType: provider?.type ?? null,
      serverType: order?.serverType ?? null,
      location: order?.location ?? null,
      image: order?.image ?? null,
      isProvenImage: order?.isProvenImage ?? null,
      sshKeys,
      inbound: made && this.inbound(made),
      fallback,
      monthlyCost: order?.monthlyCost ?? null,
      currency: order?.currency ?? null,
      userData: made && this.userData.renderMasked(made.reference, made.client),
      userDataBytes:
        userData === null ? made && this.userData.leastBytes(made.reference, made.client) : userDataBytes(userData),
      maxUserDataBytes: provider?.maxUserDataBytes ?? null,
      problems: problems.flatMap(toProblems),
    };
  }

  private inbound({ reference: { configuration } }: NewProvisioning): Preview['inbound'] {
    return this.firewalls.inbound(configuration).map(({ port, sources }) => ({ port, sources: [...sources] }));
  }
}

const FIELDS: Partial<Record<AppError['code'], string>> = { 'provider-not-found': 'providerType' };

/** One for each field that it names. */
function toProblems({ code, message, options }: AppError): PreviewProblem[] {
  const alternatives = options.extensions?.['alternatives'];
  const more = Array.isArray(alternatives) ? { alternatives: alternatives.map(String) } : {};
  const errors = options.errors ?? [{ field: FIELDS[code] ?? null, message }];
  return errors.map((error) => ({ ...error, code, ...more }));
}
