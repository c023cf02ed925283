import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { ClientsController } from './clients.controller';

/** Needs ClientService from `imports`. */
@Module({})
export class ClientsFeatureModule {
  static register(imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return { module: ClientsFeatureModule, imports, controllers: [ClientsController] };
  }
}
