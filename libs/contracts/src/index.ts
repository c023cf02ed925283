export type { AuditEntryView } from './audit.types';
export type {
  AuthenticationType,
  ClientView,
  CreateClientBody,
  Health,
  HealthView,
  TlsView,
  UpdateClientBody,
} from './client.types';
export type { Problem } from './problem.types';
export type {
  LocationView,
  ProviderType,
  ProviderView,
  ServerImageView,
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
  ProvisioningPreviewProblemView,
  ProvisioningPreviewView,
  ProvisioningStateView,
  ProvisioningStageView,
  ProvisionServerBody,
} from './provisioning.types';
