import type { CloudProvider } from '@agent-controller/cloud-port';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { AcceptingRepository } from '../accepting.repository';
import { DeletionGuard } from '../deletion/deletion-guard.service';
import { IdempotencyKeysService } from '../idempotency/idempotency-keys.service';
import { CallersFirst } from '../jobs/callers-first';
import { ProvisioningService } from '../provisioning.service';
import type { RequestCheckService } from '../request-check.service';
import type { WorkflowDatabase } from './workflow-database';

type Stored = Pick<
  WorkflowDatabase,
  'dataSource' | 'secretBox' | 'provisionings' | 'clients' | 'events' | 'stepCommit' | 'options'
>;

/** What callers can ask of one controller. */
export function provisioningService(
  { dataSource, secretBox, provisionings, clients, events, stepCommit, options }: Stored,
  { requests, providers, clock }: { requests: RequestCheckService; providers: CloudProvider[]; clock: Clock },
): ProvisioningService {
  return new ProvisioningService(
    provisionings,
    clients,
    requests,
    new IdempotencyKeysService(dataSource, secretBox, options),
    stepCommit,
    events,
    clock,
    new DeletionGuard(clients, new CloudProviderRegistry(providers)),
    new AcceptingRepository(dataSource),
    new CallersFirst(),
  );
}
