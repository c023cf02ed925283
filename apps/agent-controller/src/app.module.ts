import { ClientsModule } from '@agent-controller/clients';
import { ClientsFeatureModule } from '@agent-controller/clients-feature';
import type { Logger } from '@agent-controller/kernel';
import { ProvisioningFeatureModule } from '@agent-controller/provisioning-feature';
import { ProvisioningWorkflowModule, type WorkflowOptions } from '@agent-controller/provisioning-workflow';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Env } from './env';
import { HealthController } from './health/health.controller';
import { MetricsController } from './health/metrics.controller';
import { MetricsService } from './health/metrics.service';
import { PlatformModule } from './platform.module';

const DAY_MS = 86_400_000;

/** The whole controller. */
@Module({})
export class AppModule {
  static register(env: Env, logger: Logger): DynamicModule {
    const platform = PlatformModule.register(env, logger);
    const clients = ClientsModule.register([platform]);
    const workflow = ProvisioningWorkflowModule.register(workflowOptions(env), [platform, clients]);
    return {
      module: AppModule,
      imports: [platform, ClientsFeatureModule.register([clients]), ProvisioningFeatureModule.register([workflow])],
      controllers: [HealthController, MetricsController],
      providers: [MetricsService],
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
    keycloak: { authServerUrl: env.KEYCLOAK_AUTH_SERVER_URL, realm: env.KEYCLOAK_REALM },
    directDatabaseUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
    jobConcurrency: 20,
    healthCheckIntervalMs: env.HEALTH_CHECK_INTERVAL_SECONDS * 1000,
    agentConnections: env.AGENT_CONNECTIONS,
    failedSecretsRetentionMs: 7 * DAY_MS,
    tombstoneRetentionMs: DAY_MS,
    idempotencyRetentionMs: DAY_MS,
  };
}
