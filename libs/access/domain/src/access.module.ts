import type { Clock, Logger } from '@agent-controller/kernel';
import {
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { AuditEntry } from './audit/audit-entry.entity';
import { AuditRetention } from './audit/audit-retention';
import { AuditTrail } from './audit/audit-trail';
import { AuditTrailRepository } from './audit/audit-trail.repository';
import { FailedAuthentications } from './audit/failed-authentications';
import { RateCount } from './limits/rate-count.entity';
import { RateCountsRepository } from './limits/rate-counts.repository';
import { RateLimiter } from './limits/rate-limiter';

/** The entities of the tables of who may call. */
export const ACCESS_ENTITIES = [AuditEntry, RateCount];

export interface AccessModuleOptions {
  clock: Clock;
  logger: Logger;
  /** After how long entries of the audit trail go; null: never. */
  auditRetentionDays: number | null;
}

/** Rate limits and the audit trail. Needs DataSource from `imports`. */
@Module({})
export class AccessModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly failures: FailedAuthentications,
    private readonly retention: AuditRetention,
  ) {}

  static register(
    { clock, logger, auditRetentionDays }: AccessModuleOptions,
    imports: NonNullable<ModuleMetadata['imports']>,
  ): DynamicModule {
    return {
      module: AccessModule,
      imports,
      providers: [
        AuditTrailRepository,
        RateCountsRepository,
        {
          provide: AuditTrail,
          useFactory: (repository: AuditTrailRepository) => new AuditTrail(repository, logger),
          inject: [AuditTrailRepository],
        },
        {
          provide: FailedAuthentications,
          useFactory: (trail: AuditTrail) => new FailedAuthentications(trail, clock),
          inject: [AuditTrail],
        },
        {
          provide: AuditRetention,
          useFactory: (repository: AuditTrailRepository) =>
            new AuditRetention(repository, clock, logger, auditRetentionDays),
          inject: [AuditTrailRepository],
        },
        {
          provide: RateLimiter,
          useFactory: (repository: RateCountsRepository) => new RateLimiter(repository, clock, logger),
          inject: [RateCountsRepository],
        },
      ],
      exports: [AuditTrailRepository, AuditTrail, FailedAuthentications, RateLimiter],
    };
  }

  onModuleInit(): void {
    this.retention.start();
  }

  /** What was summed up is written while there is still a database. */
  async onModuleDestroy(): Promise<void> {
    await this.retention.stop();
    await this.failures.flush();
  }
}
