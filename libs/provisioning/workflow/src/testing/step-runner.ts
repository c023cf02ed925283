import { CloudProviderRegistry, type CloudProvider } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { CatalogueService } from '../catalogue/catalogue.service';
import { InstanceService } from '../instance.service';
import { CallbackTokens } from '../reports/callback-tokens';
import { StepErrors } from '../step-errors.service';
import { StepRunner } from '../step-runner.service';
import type { StepContext, StepResult } from '../steps/step';
import type { StepRegistry } from '../steps/step-registry';
import type { WorkflowDatabase } from './workflow-database';

const clock = { now: () => new Date() };

/** A controller whose only step is this one. */
export function runnerOf(
  step: (context: StepContext) => Promise<StepResult>,
  { dataSource, provisionings, stepCommit, options, secretBox }: WorkflowDatabase,
  { provider, logger }: { provider: CloudProvider; logger: Logger },
): StepRunner {
  const providers = new CloudProviderRegistry([provider]);
  return new StepRunner(
    provisionings,
    providers,
    new InstanceService(dataSource),
    { find: () => ({ run: step }) } as unknown as StepRegistry,
    stepCommit,
    new StepErrors(new CatalogueService(providers, clock)),
    new CallbackTokens(secretBox, options),
    options,
    clock,
    logger,
  );
}
