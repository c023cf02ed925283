import type { Clock, Logger } from '@agent-controller/kernel';
import { Module, type DynamicModule, type ModuleMetadata, type OnModuleDestroy } from '@nestjs/common';
import { AuditEntry } from './audit/audit-entry.entity';
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
}

/** Rate limits and the audit trail. Needs DataSource from `imports`. */
@Module({})
export class AccessModule implements OnModuleDestroy {
  constructor(private readonly failures: FailedAuthentications) {}

  static register(
    { clock, logger }: AccessModuleOptions,
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
          provide: RateLimiter,
          useFactory: (repository: RateCountsRepository) => new RateLimiter(repository, clock, logger),
          inject: [RateCountsRepository],
        },
      ],
      exports: [AuditTrailRepository, AuditTrail, FailedAuthentications, RateLimiter],
    };
  }

  /** What was summed up is written while there is still a database. */
  async onModuleDestroy(): Promise<void> {
    await this.failures.flush();
  }
}
