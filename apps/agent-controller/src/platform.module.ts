import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { SecretBox, systemClock, type Logger } from '@agent-controller/kernel';
import { OutboundGuard } from '@agent-controller/outbound';
import { CLOCK, LOGGER, ProviderBudgets } from '@agent-controller/provisioning-workflow';
import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { cloudProviders } from './cloud-providers';
import { createDataSource, secretBox } from './database';
import type { Env } from './env';
import { outboundGuard } from './outbound-guard';

/** What everything stands on: database, keys, providers, what may be called, clock, log. */
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(private readonly dataSource: DataSource) {}

  static register(env: Env, logger: Logger): DynamicModule {
    const { DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl = url } = env;
    const mayBePooler = directUrl !== url;
    return {
      module: PlatformModule,
      providers: [
        { provide: DataSource, useFactory: () => createDataSource(url, mayBePooler, logger).initialize() },
        {
          provide: SecretBox,
          useFactory: (dataSource: DataSource) => secretBox(dataSource, env.ENCRYPTION_KEYS, logger),
          inject: [DataSource],
        },
        {
          provide: ProviderBudgets,
          useFactory: (dataSource: DataSource) => new ProviderBudgets(dataSource, logger),
          inject: [DataSource],
        },
        {
          provide: CloudProviderRegistry,
          useFactory: (budgets: ProviderBudgets) => new CloudProviderRegistry(cloudProviders(env, budgets)),
          inject: [ProviderBudgets],
        },
        { provide: OutboundGuard, useValue: outboundGuard(env) },
        { provide: CLOCK, useValue: systemClock },
        { provide: LOGGER, useValue: logger },
      ],
      exports: [DataSource, SecretBox, OutboundGuard, ProviderBudgets, CloudProviderRegistry, CLOCK, LOGGER],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}
