import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { AcceptingRepository } from './accepting.repository';
import { AgentWatch } from './agent-watch/agent-watch';
import { WaitingAgents } from './agent-watch/waiting-agents.repository';
import { AgentHealth } from './agent/agent-health';
import { AgentHealthClient } from './agent/agent-health.client';
import { agentConnections } from './agent/agent-http.client';
import { ProviderBudget } from './budget/provider-budget.entity';
import { CallerKeysService } from './caller-keys.service';
import { CatalogueService } from './catalogue/catalogue.service';
import { ProviderOffer } from './catalogue/provider-offer.entity';
import { ProviderOffers } from './catalogue/provider-offers.repository';
import { KeyListService } from './catalogue/key-list.service';
import { ChangeWatcher } from './change-watcher';
import { ControllerHeartbeat } from './controller-heartbeat.entity';
import { AbandonedServer } from './deletion/abandoned-server.entity';
import { AbandonmentService } from './deletion/abandonment.service';
import { CrowdCommit } from './crowd-commit';
import { DeletionGuard } from './deletion/deletion-guard.service';
import { EventLog } from './event-log';
import { FirewallRepository } from './firewall/firewall.repository';
import { FirewallService } from './firewall/firewall.service';
import { ProviderFirewall } from './firewall/provider-firewall.entity';
import { HealthKeeper } from './health/health-keeper';
import { HealthRepository } from './health/health.repository';
import { Housekeeping } from './housekeeping';
import { Instance } from './instance.entity';
import { IdempotencyKey } from './idempotency/idempotency-key.entity';
import { IdempotencyKeysService } from './idempotency/idempotency-keys.service';
import { InstanceService } from './instance.service';
import { CallersFirst } from './jobs/callers-first';
import { JobRunner } from './jobs/job-runner';
import { ObservationShift } from './observation/observation-shift';
import { WaitingServers } from './observation/waiting-servers.repository';
import { PreviewService } from './preview.service';
import { ProvisioningEvent } from './provisioning-event.entity';
import { ProvisioningFactory } from './provisioning-factory.service';
import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningTombstone } from './provisioning-tombstone.entity';
import { ProvisioningViewService } from './provisioning-view.service';
import { ProvisioningWatchService } from './provisioning-watch.service';
import { ProvisioningRepository } from './provisioning.repository';
import { QuickCommit } from './quick-commit';
import { ProvisioningService } from './provisioning.service';
import { Reconciler } from './reconciler';
import { QuotaService } from './quota.service';
import { BootstrapKeys } from './redemption/bootstrap-keys.repository';
import { RedemptionService } from './redemption/redemption.service';
import { RequestCheckService } from './request-check.service';
import { SentinelService } from './sentinel.service';
import { CallbackService } from './reports/callback.service';
import { CallbackTokens } from './reports/callback-tokens';
import { ReportCollector } from './reports/report-collector';
import { ReportRedactor } from './reports/report-redactor';
import { ReportReader } from './reports/report-reader';
import { ServerMaterialService } from './server-material.service';
import { ServerObserver } from './server-observer';
import { AdoptedRows } from './sweep/adopted-rows.service';
import { DatabaseFingerprint } from './sweep/database-fingerprint';
import { FirewallSweep } from './sweep/firewall-sweep.service';
import { KeySweep } from './sweep/key-sweep.service';
import { LateAccess } from './sweep/late-access.service';
import { OrphanAdoption } from './sweep/orphan-adoption.service';
import { OrphanKeeper } from './sweep/orphan-keeper.service';
import { OrphanServer } from './sweep/orphan-server.entity';
import { OrphanService } from './sweep/orphan.service';
import { ProviderSweep } from './sweep/provider-sweep.entity';
import { RowKeeper } from './sweep/row-keeper.service';
import { ServerPresence } from './sweep/server-presence.service';
import { SweepActions } from './sweep/sweep-actions.service';
import { SweepPause } from './sweep/sweep-pause.service';
import { SweepRepository } from './sweep/sweep.repository';
import { SweptRows } from './sweep/swept-rows.repository';
import { Sweeper } from './sweep/sweeper';
import { UnusedKey } from './sweep/unused-key.entity';
import { UnusedKeys } from './sweep/unused-keys.repository';
import { StepCommit } from './step-commit.service';
import { StepErrors } from './step-errors.service';
import { StepRunner } from './step-runner.service';
import { BootingStep } from './steps/booting.step';
import { CreatingServerStep } from './steps/creating-server.step';
import { DeletingStep } from './steps/deleting.step';
import { InstallingStep } from './steps/installing.step';
import { OrderParts } from './steps/order-parts.service';
import { ReplacingStep } from './steps/replacing.step';
import { ServerRemoval } from './steps/server-removal';
import { StartingStep } from './steps/starting.step';
import { StepRegistry } from './steps/step-registry';
import { UserDataService } from './user-data.service';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** The entities of the workflow's tables. */
export const WORKFLOW_ENTITIES = [
  ProvisioningReference,
  ProvisioningEvent,
  ProvisioningTombstone,
  AbandonedServer,
  IdempotencyKey,
  Instance,
  ControllerHeartbeat,
  ProviderBudget,
  ProviderOffer,
  ProviderSweep,
  OrphanServer,
  UnusedKey,
  ProviderFirewall,
];

const PUBLIC = [
  AbandonmentService,
  CallbackService,
  CatalogueService,
  OrphanAdoption,
  OrphanService,
  PreviewService,
  ProvisioningService,
  ProvisioningViewService,
  ProvisioningWatchService,
  BootstrapKeys,
  RedemptionService,
];

const INTERNAL: Provider[] = [
  AcceptingRepository,
  ProvisioningRepository,
  ProvisioningFactory,
  DeletionGuard,
  QuotaService,
  RequestCheckService,
  ProviderOffers,
  KeyListService,
  CallerKeysService,
  FirewallRepository,
  FirewallService,
  IdempotencyKeysService,
  EventLog,
  InstanceService,
  SentinelService,
  ServerMaterialService,
  UserDataService,
  CallbackTokens,
  ReportReader,
  ReportCollector,
  ReportRedactor,
  OrderParts,
  CreatingServerStep,
  BootingStep,
  InstallingStep,
  StartingStep,
  ReplacingStep,
  DeletingStep,
  ServerRemoval,
  StepRegistry,
  QuickCommit,
  CrowdCommit,
  StepCommit,
  StepErrors,
  StepRunner,
  WaitingServers,
  ServerObserver,
  ObservationShift,
  SweepRepository,
  SweptRows,
  ServerPresence,
  RowKeeper,
  OrphanKeeper,
  AdoptedRows,
  LateAccess,
  SweepActions,
  DatabaseFingerprint,
  SweepPause,
  UnusedKeys,
  KeySweep,
  FirewallSweep,
  Sweeper,
  WaitingAgents,
  AgentWatch,
  HealthRepository,
  HealthKeeper,
  ChangeWatcher,
  Housekeeping,
  Reconciler,
  CallersFirst,
  JobRunner,
  { provide: AgentHealth, useClass: AgentHealthClient },
];

/** Needs DataSource, SecretBox, OutboundGuard, CloudProviderRegistry, ClientRepository, CLOCK and LOGGER from `imports`. */
@Module({})
export class ProvisioningWorkflowModule {
  static register(options: WorkflowOptions, imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    agentConnections.resize(options.agentConnections);
    return {
      module: ProvisioningWorkflowModule,
      imports,
      providers: [{ provide: WORKFLOW_OPTIONS, useValue: options }, ...PUBLIC, ...INTERNAL],
      exports: PUBLIC,
    };
  }
}
