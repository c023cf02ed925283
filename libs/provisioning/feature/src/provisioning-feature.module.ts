import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { BootstrapController } from './bootstrap.controller';
import { CallbacksController } from './callbacks.controller';
import { PreviewController } from './preview.controller';
import { ProvidersController } from './providers.controller';
import { ProvisioningEventsController } from './provisioning-events.controller';
import { ProvisioningController } from './provisioning.controller';
import { ShutdownSignal } from './shutdown.signal';
import { WaitingAnswers } from './waiting-answers.service';

/** Needs the workflow's services from `imports`. */
@Module({})
export class ProvisioningFeatureModule {
  static register(imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return {
      module: ProvisioningFeatureModule,
      imports,
      controllers: [
        BootstrapController,
        CallbacksController,
        PreviewController,
        ProvidersController,
        ProvisioningController,
        ProvisioningEventsController,
      ],
      providers: [ShutdownSignal, WaitingAnswers],
    };
  }
}
