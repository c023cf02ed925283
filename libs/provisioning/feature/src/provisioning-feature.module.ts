import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { AbandonedController } from './abandoned.controller';
import { BootstrapController } from './bootstrap.controller';
import { CallbacksController } from './callbacks.controller';
import { CatalogueAnswers } from './catalogue-answers.service';
import { OrphansController } from './orphans.controller';
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
        AbandonedController,
        BootstrapController,
        CallbacksController,
        OrphansController,
        PreviewController,
        ProvidersController,
        ProvisioningController,
        ProvisioningEventsController,
      ],
      providers: [CatalogueAnswers, ShutdownSignal, WaitingAnswers],
    };
  }
}
