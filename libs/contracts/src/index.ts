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
export type { HealthReadyView, ProviderConditionView } from './health.types';
export type { AdoptServerBody, OrphanReportView, OrphanView, SweepPauseView, SweepView } from './orphan.types';
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
  AbandonedServerView,
  FallbackChoice,
  Phase,
  InboundRuleView,
  PreviewChoiceView,
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
  ServerChoiceView,
} from './provisioning.types';
