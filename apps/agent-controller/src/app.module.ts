import { AccessModule } from '@agent-controller/access';
import { AccessFeatureModule } from '@agent-controller/access-feature';
import { ClientsModule } from '@agent-controller/clients';
import { ClientsFeatureModule } from '@agent-controller/clients-feature';
import { systemClock, type Logger } from '@agent-controller/kernel';
import { ProvisioningFeatureModule } from '@agent-controller/provisioning-feature';
import {
  MISSED_HEARTBEATS,
  ProviderBudgets,
  ProvisioningWorkflowModule,
  type WorkflowOptions,
} from '@agent-controller/provisioning-workflow';
import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Env } from './env';
import { HealthController } from './health/health.controller';
import { MetricsController } from './metrics/metrics.controller';
import { MetricsService } from './metrics/metrics.service';
import { PlatformModule } from './platform.module';

const HOUR_MS = 3_600_000;

/** The whole controller. */
@Module({})
export class AppModule {
  static register(env: Env, logger: Logger): DynamicModule {
    const platform = PlatformModule.register(env, logger);
    const clients = ClientsModule.register([platform]);
    const workflow = ProvisioningWorkflowModule.register(workflowOptions(env), [platform, clients]);
    const access = AccessModule.register(
      { clock: systemClock, logger, auditRetentionDays: env.AUDIT_RETENTION_DAYS ?? null },
      [platform],
    );
    return {
      module: AppModule,
      imports: [
        platform,
        access,
        AccessFeatureModule.register([access]),
        ClientsFeatureModule.register([clients]),
        ProvisioningFeatureModule.register([workflow]),
      ],
      controllers: [HealthController, MetricsController],
      providers: [
        {
          provide: MetricsService,
          useFactory: (dataSource: DataSource, budgets: ProviderBudgets) =>
            new MetricsService(dataSource, budgets, {
              aliveWithinMs: MISSED_HEARTBEATS * env.HEARTBEAT_SECONDS * 1000,
            }),
          inject: [DataSource, ProviderBudgets],
        },
      ],
    };
  }
}

function workflowOptions(env: Env): WorkflowOptions {
  return {
    images: { agentManager: env.AGENT_MANAGER_IMAGE, postgres: env.POSTGRES_IMAGE, proxy: env.PROXY_IMAGE },
    serverImages: { hetzner: env.SERVER_IMAGE_HETZNER, 'digital-ocean': env.SERVER_IMAGE_DIGITALOCEAN },
    provisioningTimeoutMs: env.PROVISIONING_TIMEOUT_SECONDS * 1000,
    phaseTimeoutMs: {
      'creating-server': env.CREATING_SERVER_TIMEOUT_SECONDS * 1000,
      booting: env.BOOTING_TIMEOUT_SECONDS * 1000,
      installing: env.INSTALLING_TIMEOUT_SECONDS * 1000,
      starting: env.STARTING_TIMEOUT_SECONDS * 1000,
    },
    callbacks: env.PUBLIC_URL ? { publicUrl: env.PUBLIC_URL, pins: env.PUBLIC_URL_PINS } : null,
    knowsCallersAddress: env.TRUST_PROXY !== undefined,
    controllerCidrs: env.CONTROLLER_CIDRS,
    keycloak: { authServerUrl: env.KEYCLOAK_AUTH_SERVER_URL, realm: env.KEYCLOAK_REALM },
    quotas: {
      maxServers: env.MAX_SERVERS,
      maxServersPerOwner: env.MAX_SERVERS_PER_OWNER,
      maxMonthlyCost: env.MAX_MONTHLY_COST,
      maxMonthlyCostPerOwner: env.MAX_MONTHLY_COST_PER_OWNER,
    },
    directDatabaseUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
    providerTimeoutMs: env.PROVIDER_TIMEOUT_SECONDS * 1000,
    leaseMs: env.LEASE_SECONDS * 1000,
    heartbeatMs: env.HEARTBEAT_SECONDS * 1000,
    jobConcurrency: 20,
    healthCheckIntervalMs: env.HEALTH_CHECK_INTERVAL_SECONDS * 1000,
    agentConnections: env.AGENT_CONNECTIONS,
    sweep: {
      intervalMs: env.SWEEP_INTERVAL_SECONDS * 1000,
      orphanPolicy: env.ORPHAN_POLICY,
      orphanGraceMs: env.ORPHAN_GRACE_SECONDS * 1000,
      lostAfterMs: env.LOST_AFTER_SECONDS * 1000,
      keyIntervalMs: HOUR_MS,
    },
    failedSecretsRetentionMs: env.FAILED_SECRETS_RETENTION_SECONDS * 1000,
    tombstoneRetentionMs: env.TOMBSTONE_RETENTION_SECONDS * 1000,
    idempotencyRetentionMs: env.IDEMPOTENCY_RETENTION_SECONDS * 1000,
    failedJobRetentionMs: env.FAILED_JOB_RETENTION_SECONDS * 1000,
    eventsPerProvisioning: env.EVENTS_PER_CLIENT,
  };
}
