import type { ClientRepository } from '@agent-controller/clients';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { SecretBox, type Caller } from '@agent-controller/kernel';
import { loopbackGuard } from '@agent-controller/outbound/testing';
import { CatalogueService } from '../catalogue/catalogue.service';
import { FirewallService } from '../firewall/firewall.service';
import { KeyListService } from '../catalogue/key-list.service';
import { PreviewService } from '../preview.service';
import type { ProvisionRequest } from '../provision-request';
import { ProvisioningFactory } from '../provisioning-factory.service';
import type { ProvisioningRepository } from '../provisioning.repository';
import { CallbackTokens } from '../reports/callback-tokens';
import type { QuotaService } from '../quota.service';
import { RequestCheckService } from '../request-check.service';
import { ServerMaterialService } from '../server-material.service';
import { DEBIAN, FakeCloudProvider } from './fake-cloud-provider';
import { NOW } from './step-context.fixture';
import { UserDataService } from '../user-data.service';
import type { WorkflowOptions } from '../workflow.options';

export const caller: Caller = { subject: 'someone', role: 'operator' };
const quotas = { problem: async () => null, isUnlimited: true } as unknown as QuotaService;
let nowMs = NOW.getTime();
const clock = { now: () => new Date(nowMs) };
export const place = (id: string, available = true) => ({
  ...{ id, available, priceMonthly: 4, priceHourly: 0.01, addressPriceMonthly: 0.5, deprecatedAfter: null },
});
export const type = (id: string, architecture: 'x86' | 'arm', ...locations: ReturnType<typeof place>[]) => ({
  ...{ id, name: id, cores: 2, memory: 4, disk: 40, architecture, description: id, currency: 'EUR' },
  ...{ priceMonthly: 4, priceHourly: 0.01, locations },
});

/** Seals nothing: what is sealed is not the matter here. */
const open = {
  sealSecrets: (_id: string, secrets: unknown) => JSON.stringify(secrets),
  openSecrets: ({ sealedSecrets }: { sealedSecrets: string }) => JSON.parse(sealedSecrets) as unknown,
} as unknown as ProvisioningRepository;
const clients = {
  isNameTaken: async (name: string) => name === 'taken',
  sealCredentials: (_id: string, credentials: unknown) => JSON.stringify(credentials),
  openCredentials: ({ sealedCredentials }: { sealedCredentials: string }) => JSON.parse(sealedCredentials) as unknown,
} as unknown as ClientRepository;
const options = {
  controllerCidrs: ['198.51.100.7/32'],
  images: { agentManager: 'manager', postgres: 'postgres', proxy: 'caddy' },
  serverImages: { hetzner: 'debian-13', 'digital-ocean': 'debian-13-x64' },
  keycloak: {},
} as unknown as WorkflowOptions;

export const sound: ProvisionRequest = {
  providerType: 'hetzner',
  serverType: 'cx23',
  sshKeys: [],
  authentication: { type: 'api_key' },
  agentWsPort: 8080,
  git: {},
  agentDefaultImage: 'worker',
  environment: {},
};

/** Later, for what is remembered for a while. */
export function passTime(ms: number): void {
  nowMs += ms;
}

/** The services over a provider that has some of everything. */
export function requestChecks() {
  const provider = new FakeCloudProvider();
  provider.serverTypes = [
    type('cx23', 'x86', place('fsn1', false), place('nbg1')),
    type('cax11', 'arm', place('fsn1')),
    type('sold-out', 'x86', place('fsn1', false)),
  ];
  provider.locations = ['fsn1', 'nbg1'].map((id) => ({ id, name: id, country: 'DE', city: id, available: true }));
  provider.images = [DEBIAN, { ...DEBIAN, id: '2', name: 'rocky-9', osFamily: 'rocky', osVersion: '9' }];
  provider.sshKeys = [{ id: '5', name: 'laptop' }];
  const catalogue = new CatalogueService(new CloudProviderRegistry([provider]), clock);
  const userData = new UserDataService(open, clients, new CallbackTokens(new SecretBox([Buffer.alloc(32)]), options));
  const factory = new ProvisioningFactory(open, clients, new ServerMaterialService(open), options, clock);
  const requests = new RequestCheckService(
    catalogue,
    new KeyListService(clock),
    factory,
    userData,
    clients,
    quotas,
    loopbackGuard(),
    options,
  );
  const previews = new PreviewService(requests, userData, new FirewallService(null as never, options, clock));
  return { provider, requests, previews };
}
