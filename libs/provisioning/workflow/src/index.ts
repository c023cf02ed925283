export { ProviderBudgets, type ProviderCondition } from './budget/provider-budgets.service';
export { CatalogueService } from './catalogue/catalogue.service';
export type { Offer } from './catalogue/order-check';
export { AbandonedServer } from './deletion/abandoned-server.entity';
export { AbandonmentService } from './deletion/abandonment.service';
export { MISSED_HEARTBEATS } from './housekeeping';
export { PHASE_DISPLAY, PHASES, SETTLED_PHASES, WATCHED_PHASES, type Phase } from './phases';
export { imageName, isProven } from './catalogue/image-check';
export { idempotencyKeyGone, type RepeatableRequest } from './idempotency/idempotency-keys.service';
export { PreviewService, type Preview } from './preview.service';
export type { ProvisionRequest, SshKeyRequest } from './provision-request';
export { ProvisioningEvent } from './provisioning-event.entity';
export type { NewProvisioning } from './provisioning-factory.service';
export type { ProvisioningView } from './provisioning.repository';
export { ProvisioningReference } from './provisioning-reference.entity';
export { ProvisioningViewService } from './provisioning-view.service';
export { ProvisioningWatchService } from './provisioning-watch.service';
export { ProvisioningWorkflowModule, WORKFLOW_ENTITIES } from './provisioning-workflow.module';
export { ProvisioningService, type StartedProvisioning } from './provisioning.service';
export type { ProvisioningFailure, StoredSshKey } from './provisioning.types';
export type { AdoptionRequest } from './sweep/adopted-rows.service';
export { OrphanAdoption } from './sweep/orphan-adoption.service';
export { OrphanService, type OrphanReport, type ReportedOrphan } from './sweep/orphan.service';
export { CallbackService } from './reports/callback.service';
export { MAX_REDEMPTION_BYTES } from './redemption/redemption-request';
export { RedemptionService } from './redemption/redemption.service';
export { MAX_REPORT_BYTES } from './reports/server-report';
export { stageDisplay } from './reports/stages';
export {
  agentLooked,
  filesAsked,
  jobEnded,
  phaseEnded,
  providerRequestEnded,
  serversObserved,
  waitingAgentLooked,
  streamChanged,
  sweepEnded,
} from './signals';
export { CLOCK, LOGGER } from './tokens';
export type { WorkflowOptions } from './workflow.options';
