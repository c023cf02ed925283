import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { ClientRepository } from './client.repository';
import { ClientService } from './client.service';

/** Needs DataSource, SecretBox and OutboundGuard from `imports`. */
@Module({})
export class ClientsModule {
  static register(imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return {
      module: ClientsModule,
      imports,
      providers: [ClientRepository, ClientService],
      exports: [ClientRepository, ClientService],
    };
  }
}
