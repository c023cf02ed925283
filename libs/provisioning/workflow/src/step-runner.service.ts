import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import { isDatabaseAway } from '@agent-controller/database';
import type { Clock, Logger, Span } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { notConfiguredFailure } from './deletion/provider-not-configured';
import { stopwatch } from './elapsed';
import { InstanceService } from './instance.service';
import { HandedBack, orHandBack } from './jobs/hand-back';
import { enqueueStep, ensureStep } from './jobs/job-queue';
import { LeaseKeeper } from './lease-keeper';
import { SETTLED_PHASES } from './phases';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningRepository, type WithClient } from './provisioning.repository';
import { CallbackTokens } from './reports/callback-tokens';
import { AWAITED_PHASES, recovered } from './step-changes';
import { StepCommit } from './step-commit.service';
import { StepErrors } from './step-errors.service';
import { inStepSpan } from './step-span';
import { canHaveServer } from './steps/server-removal';
import { advance, fail, LostRightToCreate, type StepContext, type StepResult } from './steps/step';
import { StepRegistry } from './steps/step-registry';
import { timeLimitFailure } from './time-limit';
import { CLOCK, LOGGER } from './tokens';
import { visibilityGraceMs, WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** Another step of the row runs: it seldom takes longer, and when its controller is dead, its lease ends within some of these. */
const LEASE_HELD_MS = 1_000;

/**
 * How a step ended. `committed`: its lease was given back with it; `wake`: another one is to see what has changed;
 * `leave`: another one is to do it.
 */
type StepEnd = 'committed' | 'wake' | 'leave' | 'nothing';

/** Runs one step of one provisioning under its lease. Safe to run twice, and beside other controllers. */
@Injectable()
export class StepRunner {
  constructor(
    private readonly provisionings: ProvisioningRepository,
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
    const sinceAsked = stopwatch();
    const leased = await this.provisionings.acquireLease(id, leaseOwner);
    if (!leased) {
      // Whoever holds the lease goes on by itself, unless it is dead, or had looked already at what this step was woken for.
      const { manager } = this.provisionings;
      const row = await this.provisionings.find(id);
      const isAwaited = row !== null && AWAITED_PHASES.includes(row.phase);
      if (row) await ensureStep(manager, id, { delayMs: LEASE_HELD_MS, isAwaited });
      return;
    }
    const lease = new LeaseKeeper(this.provisionings, id, leaseOwner, stop, sinceAsked);
    let end: StepEnd;
    try {
      end = await orHandBack(this.runUnderLease(leased, leaseOwner, lease), stop);
    } catch (error) {
      // An order that is on its way may still be answered and saved, as long as nobody else has the lease.
      if (error instanceof HandedBack && lease.hasOrdered) lease.leave();
      else await lease.release();
      throw error;
    }
    if (end === 'committed') return lease.leave();
    // First the lease: who is woken would ask for it in vain, and come again a second later.
    await lease.release();
    if (end === 'wake') await enqueueStep(this.provisionings.manager, id);
    else if (end === 'leave') await ensureStep(this.provisionings.manager, id);
  }

  private runUnderLease(leased: WithClient, leaseOwner: string, lease: LeaseKeeper): Promise<StepEnd> {
    return inStepSpan(leased.reference, (span) => this.stepUnderLease(leased, leaseOwner, lease, span));
  }

  private async stepUnderLease(
    leased: WithClient,
    leaseOwner: string,
    lease: LeaseKeeper,
    span: Span | undefined,
  ): Promise<StepEnd> {
    const { reference } = leased;
    const result = await this.decide(leased, leaseOwner, lease);
    const isLost = result === 'lost-right-to-create';
    span?.set({ 'step.result': result === null || isLost ? 'none' : result.kind });
    // Whoever goes on with it, on whichever controller, must be woken. The answer to an order is saved even so.
    const isOrdered = lease.hasOrdered && result !== null && !isLost;
    if (lease.signal.aborted && !isOrdered) return 'leave';
    if (isLost) return 'wake';
    if (!result) return 'nothing';
    if (await this.stepCommit.commit({ reference, leaseOwner }, result, this.clock.now())) return 'committed';
    const { id: provisioningId, phase } = reference;
    this.logger.warn({ provisioningId, phase }, 'a step lost its lease; its result is dropped');
    return 'wake';
  }

  private async decide({ reference, client }: WithClient, leaseOwner: string, lease: LeaseKeeper) {
    const { phase, intent } = reference;
    // A failed deletion waits for a caller's retry.
    if (intent === 'absent' && phase !== 'deleting' && phase !== 'failed') return advance('deleting');
    if (SETTLED_PHASES.includes(phase)) return null;
    const provider = this.providers.find(reference.providerType);
    if (!provider) {
      if (phase === 'deleting' && !canHaveServer(reference)) return { kind: 'gone' } as const;
      return fail(notConfiguredFailure(reference.providerType));
    }
    const timedOut = timeLimitFailure(reference, this.options, this.clock.now());
    if (timedOut) return fail(timedOut);
    const context: StepContext = {
      reference,
      client,
      provider,
      instance: await this.instances.get(),
      now: this.clock.now(),
      visibilityGraceMs: visibilityGraceMs(this.options),
      signal: lease.signal,
      announceCreate: (...named) => this.announceCreate(reference, leaseOwner, lease, ...named),
    };
    return this.runStep(context);
  }

  private async announceCreate(
    reference: ProvisioningReference,
    leaseOwner: string,
    lease: LeaseKeeper,
    sentinelId: string,
    firewallName: string | null = null,
  ): Promise<() => boolean> {
    const { id, version } = reference;
    const order = { sentinelId, firewallName, at: this.clock.now(), ...this.callbackTokens.storedHashes(reference) };
    const sinceAsked = stopwatch();
    if (lease.signal.aborted || lease.isOver) throw new LostRightToCreate();
    if (!(await this.provisionings.markCreateRequested(id, { version, leaseOwner }, order))) {
      throw new LostRightToCreate();
    }
    return lease.ordered(sinceAsked);
  }

  private async runStep(context: StepContext): Promise<StepResult | 'lost-right-to-create' | null> {
    const { reference, signal } = context;
    try {
      const result = await this.steps.find(reference.phase).run(context);
      return result.kind === 'gone'
        ? result
        : { ...result, patch: { ...recovered(reference, context.now), ...result.patch } };
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof LostRightToCreate) return 'lost-right-to-create';
      // Nothing can be saved now; the job is run again.
      if (isDatabaseAway(error)) throw error;
      if (!(error instanceof CloudError)) {
        this.logger.error({ provisioningId: reference.id, phase: reference.phase, err: error }, 'a step failed');
      }
      return this.stepErrors.resultOf(error, context);
    }
  }
}
