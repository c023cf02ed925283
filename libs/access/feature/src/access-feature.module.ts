import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { AuditController } from './audit.controller';

/** Needs AuditTrailRepository from `imports`. */
@Module({})
export class AccessFeatureModule {
  static register(imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return { module: AccessFeatureModule, imports, controllers: [AuditController] };
  }
}
