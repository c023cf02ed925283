import { CloudError } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { CatalogueService } from './catalogue/catalogue.service';
import type { NewEvent } from './event-log';
import { backOffMs, cloudFailure, isPassing, stopsClock } from './steps/cloud-failure';
import { fail, wait, type Failure, type Patch, type StepContext, type StepResult } from './steps/step';

const INTERNAL: Failure = {
  code: 'internal-error',
  message: 'The controller met an error of its own; its log says more.',
  action: 'Nothing: it is tried again.',
};

/** Turns what a step threw into what happens next. */
@Injectable()
export class StepErrors {
  constructor(private readonly catalogue: CatalogueService) {}

  async resultOf(error: unknown, context: StepContext): Promise<StepResult> {
    if (error instanceof CloudError && !isPassing(error)) {
      const failure = cloudFailure(error);
      const patch = orderWithoutEffect(error, context);
      if (context.reference.phase === 'deleting' && error.kind === 'invalid') {
        return fail({ ...failure, action: 'Delete again. The server may still run, and is billed while it does.' });
      }
      if (error.kind !== 'capacity') return fail(failure, { patch });
      return fail({ ...failure, action: `${failure.action}${await this.alternatives(context)}` }, { patch });
    }
    return this.again(error, context);
  }

  private again(error: unknown, context: StepContext): StepResult {
    const { reference, now } = context;
    const failure = error instanceof CloudError ? cloudFailure(error) : INTERNAL;
    const retryAfterMs = error instanceof CloudError ? error.retryAfterMs : undefined;
    const pauses = error instanceof CloudError && stopsClock(error);
    // Once per kind of trouble: a provider that is away for an hour must not flood the log.
    const known = reference.lastError?.code === failure.code && reference.consecutiveErrors > 0;
    const event: NewEvent = {
      type: 'error',
      message: failure.message,
      data: { code: failure.code, action: failure.action },
    };
    return wait(backOffMs(reference.consecutiveErrors, retryAfterMs), {
      patch: {
        ...(error instanceof CloudError ? orderWithoutEffect(error, context) : {}),
        consecutiveErrors: reference.consecutiveErrors + 1,
        lastError: { ...failure, phase: reference.phase, at: now.toISOString() },
        ...(pauses ? { pausedSince: reference.pausedSince ?? now } : {}),
      },
      events: known ? [] : [event],
    });
  }

  private async alternatives({ reference: { providerType, serverType, location } }: StepContext): Promise<string> {
    const others = await this.catalogue.otherLocations(providerType, serverType, location).catch(() => []);
    return others.length === 0 ? '' : ` ${serverType} is listed as available at: ${others.join(', ')}.`;
  }
}

/**
 * What is known of orders once one surely made nothing: as much as before it. Where it was the first of its attempt, no
 * server can exist, and nobody needs to look or to wait for one. Where it was not even sent (the budget's gate) or
 * could not be, the time in which an earlier one may still show does not begin anew.
 */
function orderWithoutEffect({ kind }: CloudError, { reference }: StepContext): Patch {
  if (reference.phase !== 'creating-server' || kind === 'outcome-unknown' || kind === 'conflict') return {};
  const { createRequestedAt } = reference;
  const wasNotSent = kind === 'unavailable' || kind === 'rate-limited';
  return createRequestedAt === null || wasNotSent ? { createRequestedAt } : {};
}
