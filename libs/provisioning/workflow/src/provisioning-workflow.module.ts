import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { AgentHealth } from './agent/agent-health';
import { AgentHealthClient } from './agent/agent-health.client';
import { agentConnections } from './agent/agent-http.client';
import { CallerKeysService } from './caller-keys.service';
import { CatalogueService } from './catalogue/catalogue.service';
import { KeyListService } from './catalogue/key-list.service';
import { ChangeWatcher } from './change-watcher';
import { ControllerHeartbeat } from './controller-heartbeat.entity';
import { EventLog } from './event-log';
import { HealthKeeper } from './health/health-keeper';
import { HealthRepository } from './health/health.repository';
import { Housekeeping } from './housekeeping';
import { Instance } from './instance.entity';
import { IdempotencyKey } from './idempotency/idempotency-key.entity';
import { IdempotencyKeysService } from './idempotency/idempotency-keys.service';
import { InstanceService } from './instance.service';
import { JobRunner } from './jobs/job-runner';
import { PreviewService } from './preview.service';
import { ProvisioningEvent } from './provisioning-event.entity';
import { ProvisioningFactory } from './provisioning-factory.service';
import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningTombstone } from './provisioning-tombstone.entity';
import { ProvisioningViewService } from './provisioning-view.service';
import { ProvisioningWatchService } from './provisioning-watch.service';
import { ProvisioningRepository } from './provisioning.repository';
import { ProvisioningService } from './provisioning.service';
import { Reconciler } from './reconciler';
import { RedemptionService } from './redemption/redemption.service';
import { RequestCheckService } from './request-check.service';
import { SentinelService } from './sentinel.service';
import { CallbackService } from './reports/callback.service';
import { CallbackTokens } from './reports/callback-tokens';
import { ReportRedactor } from './reports/report-redactor';
import { ReportReader } from './reports/report-reader';
import { ServerMaterialService } from './server-material.service';
import { ServerObserver } from './server-observer';
import { StepCommit } from './step-commit.service';
import { StepErrors } from './step-errors.service';
import { StepRunner } from './step-runner.service';
import { BootingStep } from './steps/booting.step';
import { CreatingServerStep } from './steps/creating-server.step';
import { DeletingStep } from './steps/deleting.step';
import { InstallingStep } from './steps/installing.step';
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
  IdempotencyKey,
  Instance,
  ControllerHeartbeat,
];

const PUBLIC = [
  CallbackService,
  CatalogueService,
  PreviewService,
  ProvisioningService,
  ProvisioningViewService,
  ProvisioningWatchService,
  RedemptionService,
];

const INTERNAL: Provider[] = [
  ProvisioningRepository,
  ProvisioningFactory,
  RequestCheckService,
  KeyListService,
  CallerKeysService,
  IdempotencyKeysService,
  EventLog,
  InstanceService,
  SentinelService,
  ServerMaterialService,
  UserDataService,
  CallbackTokens,
  ReportReader,
  ReportRedactor,
  CreatingServerStep,
  BootingStep,
  InstallingStep,
  StartingStep,
  ReplacingStep,
  DeletingStep,
  ServerRemoval,
  StepRegistry,
  StepCommit,
  StepErrors,
  StepRunner,
  ServerObserver,
  HealthRepository,
  HealthKeeper,
  ChangeWatcher,
  Housekeeping,
  Reconciler,
  JobRunner,
  { provide: AgentHealth, useClass: AgentHealthClient },
];

/** Needs DataSource, SecretBox, CloudProviderRegistry, ClientRepository, CLOCK and LOGGER from `imports`. */
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
