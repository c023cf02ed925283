import { ClientRepository } from '@agent-controller/clients';
import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { InstanceService } from './instance.service';
import { enqueueStep, ensureStep } from './jobs/job-queue';
import { LeaseKeeper } from './lease-keeper';
import { SETTLED_PHASES } from './phases';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { LEASE_MS, ProvisioningRepository } from './provisioning.repository';
import { CallbackTokens } from './reports/callback-tokens';
import { StepCommit } from './step-commit.service';
import { StepErrors } from './step-errors.service';
import { advance, fail, LostRightToCreate, type Patch, type StepContext, type StepResult } from './steps/step';
import { StepRegistry } from './steps/step-registry';
import { timeLimitFailure } from './time-limit';
import { CLOCK, LOGGER } from './tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** Runs one step of one provisioning under its lease. Safe to run twice, and beside other controllers. */
@Injectable()
export class StepRunner {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly providers: CloudProviderRegistry,
    private readonly instances: InstanceService,
    private readonly steps: StepRegistry,
    private readonly stepCommit: StepCommit,
    private readonly stepErrors: StepErrors,
    private readonly callbackTokens: CallbackTokens,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param stop aborts when the controller stops: the step then ends early, and nothing is lost */
  async run(id: string, stop: AbortSignal): Promise<void> {
    const leaseOwner = randomUUID();
    if (!(await this.provisionings.acquireLease(id, leaseOwner))) {
      // Whoever holds the lease goes on by itself; if it is dead, the lease ends by then.
      if (await this.provisionings.find(id)) await ensureStep(this.provisionings.manager, id, LEASE_MS);
      return;
    }
    const lease = new LeaseKeeper(this.provisionings, id, leaseOwner, stop);
    try {
      await this.runUnderLease(id, leaseOwner, lease.signal);
    } finally {
      await lease.release();
    }
  }

  private async runUnderLease(id: string, leaseOwner: string, signal: AbortSignal): Promise<void> {
    const reference = await this.provisionings.find(id);
    if (!reference) return;
    const result = await this.decide(reference, leaseOwner, signal);
    // Whoever goes on with it, on whichever controller, must be woken.
    if (signal.aborted) return ensureStep(this.provisionings.manager, id);
    if (!result) return;
    const committed = await this.stepCommit.commit({ reference, leaseOwner }, result, this.clock.now());
    if (!committed) {
      this.logger.warn({ provisioningId: id, phase: reference.phase }, 'a step lost its lease; its result is dropped');
      await enqueueStep(this.provisionings.manager, id);
    }
  }

  private async decide(reference: ProvisioningReference, leaseOwner: string, signal: AbortSignal) {
    const { phase, intent } = reference;
    // A failed deletion waits for a caller's retry.
    if (intent === 'absent' && phase !== 'deleting' && phase !== 'failed') return advance('deleting');
    if (SETTLED_PHASES.includes(phase)) return null;
    const provider = this.providers.find(reference.providerType);
    if (!provider) {
      return fail({
        code: 'provider-not-configured',
        message: `This controller has no API token for ${reference.providerType} any more.`,
        action: "Configure the provider's token and start the controller again. Then retry, or delete.",
      });
    }
    const timedOut = timeLimitFailure(reference, this.options, this.clock.now());
    if (timedOut) return fail(timedOut);
    const client = await this.clients.get(reference.clientId);
    if (!client) return null;
    const context: StepContext = {
      reference,
      client,
      provider,
      instance: await this.instances.get(),
      now: this.clock.now(),
      signal,
      announceCreate: async (sentinelId) => {
        const { id, version } = reference;
        const seen = { version, leaseOwner };
        const order = { sentinelId, at: this.clock.now(), ...this.callbackTokens.storedHashes(reference) };
        if (signal.aborted || !(await this.provisionings.markCreateRequested(id, seen, order))) {
          throw new LostRightToCreate();
        }
      },
    };
    return this.runStep(context);
  }

  private async runStep(context: StepContext): Promise<StepResult | null> {
    const { reference, signal } = context;
    try {
      const result = await this.steps.find(reference.phase).run(context);
      return result.kind === 'gone' ? result : { ...result, patch: { ...recovered(context), ...result.patch } };
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof LostRightToCreate) {
        await enqueueStep(this.provisionings.manager, reference.id);
        return null;
      }
      if (!(error instanceof CloudError)) {
        this.logger.error({ provisioningId: reference.id, phase: reference.phase, err: error }, 'a step failed');
      }
      return this.stepErrors.resultOf(error, context);
    }
  }
}

/** The provider answered: errors are over, and the clock goes on. While booting only the observer asks it. */
function recovered({ reference, now }: StepContext): Patch {
  const patch: Patch = { consecutiveErrors: 0, lastError: null };
  if (reference.phase === 'booting' || !reference.pausedSince) return patch;
  const pausedMs = reference.pausedMs + Math.max(0, now.getTime() - reference.pausedSince.getTime());
  return { ...patch, pausedSince: null, pausedMs };
}
