export type { AuthenticationType, ClientView, CreateClientBody, TlsView, UpdateClientBody } from './client.types';
export type { Problem } from './problem.types';
export type {
  LocationView,
  ProviderType,
  ProviderView,
  ServerTypeLocationView,
  ServerTypeView,
} from './provider.types';
export type {
  Phase,
  ProvisionedClientView,
  ProvisioningConfigurationView,
  ProvisioningErrorView,
  ProvisioningEventView,
  ProvisioningInfoView,
  ProvisioningPreviewView,
  ProvisioningStateView,
  ProvisioningStageView,
  ProvisionServerBody,
} from './provisioning.types';
