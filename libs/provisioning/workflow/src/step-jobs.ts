import { agentWatchJob, awaitedStepJob, observationJob, stepJob, type NewJob } from './jobs/job-queue';
import { isWatched } from './phases';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { AWAITED_PHASES, type StepChanges } from './step-changes';

/** No server runs sooner after its order. */
const FIRST_LOOK_MS = 1_500;

/** What must go on once the changes are saved: looks at what is waited for, and the next step. */
export function jobsOf(
  { id, providerType }: Pick<ProvisioningReference, 'id' | 'providerType'>,
  { phase, isNewPhase, delayMs }: StepChanges,
): NewJob[] {
  if (delayMs === null) return [];
  return [
    ...(phase === 'booting' && isNewPhase ? [observationJob(providerType, FIRST_LOOK_MS)] : []),
    ...(isWatched(phase) && isNewPhase ? [agentWatchJob()] : []),
    AWAITED_PHASES.includes(phase) ? awaitedStepJob(id, delayMs) : stepJob(id, delayMs),
  ];
}
