import { CloudError } from '@agent-controller/cloud-port';
import { SealedValueError } from '@agent-controller/kernel';
import { Injectable } from '@nestjs/common';
import { CatalogueService } from './catalogue/catalogue.service';
import type { NewEvent } from './event-rows';
import { backOffMs, cloudFailure, isPassing, stopsClock } from './steps/cloud-failure';
import { choiceName, choicesOf, firstChoice } from './steps/order-choices';
import { endsRemoval, isRemoving, removalDelayMs, removalFailure } from './steps/removal-failure';
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
    const { consecutiveErrors, pausedSince } = context.reference;
    if (error instanceof SealedValueError) return this.ofSealedValue(error, context);
    if (!(error instanceof CloudError)) return this.again(INTERNAL, backOffMs(consecutiveErrors), context);
    if (isRemoving(context.reference.phase)) return this.ofRemoval(error, context);
    const patch = orderWithoutEffect(error, context);
    const failure = cloudFailure(error);
    if (!isPassing(error)) {
      if (error.kind !== 'capacity') return fail(failure, { patch });
      return fail({ ...failure, ...(await this.noRoom(failure, context)) }, { patch });
    }
    const pause = stopsClock(error) ? { pausedSince: pausedSince ?? context.now } : {};
    return this.again(failure, backOffMs(consecutiveErrors, error.retryAfterMs), context, { ...patch, ...pause });
  }

  /** A key may come back; what is not authentic never opens, and is never used. */
  private ofSealedValue({ trouble, keyId, place }: SealedValueError, context: StepContext): StepResult {
    const { table, column } = place;
    if (trouble === 'unknown-key') {
      const message = `Stored secrets cannot be opened: ${table}.${column} was sealed with the key ${keyId}, which the controller does not have.`;
      const action = 'Put that key back into ENCRYPTION_KEYS, and restart the controllers: it goes on by itself.';
      return this.again(
        { code: 'secrets-unreadable', message, action },
        backOffMs(context.reference.consecutiveErrors),
        context,
      );
    }
    return fail({
      code: 'secrets-unreadable',
      message: `Stored secrets cannot be opened: ${table}.${column} was altered, or moved from another row or column. Nothing was done with it.`,
      action: "Restore the row's value from a backup and retry, or delete. Ask who can write to the database.",
    });
  }

  /** A server that may be billed is not given up for anything that can pass; removing has no time limit. */
  private ofRemoval(error: CloudError, context: StepContext): StepResult {
    const { phase, consecutiveErrors } = context.reference;
    const failure = removalFailure(error, phase);
    return endsRemoval(error) ? fail(failure) : this.again(failure, removalDelayMs(error, consecutiveErrors), context);
  }

  private again(failure: Failure, delayMs: number, { reference, now }: StepContext, patch: Patch = {}): StepResult {
    // Once per kind of trouble: a provider that is away for an hour must not flood the log.
    const known = reference.lastError?.code === failure.code && reference.consecutiveErrors > 0;
    const event: NewEvent = {
      type: 'error',
      message: failure.message,
      data: { code: failure.code, action: failure.action },
    };
    return wait(delayMs, {
      patch: {
        ...patch,
        consecutiveErrors: reference.consecutiveErrors + 1,
        lastError: { ...failure, phase: reference.phase, at: now.toISOString() },
      },
      events: known ? [] : [event],
    });
  }

  /** What was tried, and what the provider lists as available besides. */
  private async noRoom({ message, action }: Failure, { reference }: StepContext) {
    const tried = choicesOf(reference);
    const { providerType } = reference;
    const { serverType, location } = firstChoice(reference);
    const isTried = (type: string, place: string) =>
      tried.some((choice) => choice.serverType === type && choice.location === place);
    const places = await this.catalogue.otherLocations(providerType, serverType, location).catch(() => []);
    const others = places.filter((place) => !isTried(serverType, place));
    const types = (await this.catalogue.otherTypes(providerType, serverType).catch(() => []))
      .map(({ id, locations }) => ({ id, locations: locations.filter((place) => !isTried(id, place)) }))
      .filter(({ locations }) => locations.length > 0)
      .map(({ id, locations }) => `${id} (${locations.join(', ')})`);
    return {
      message: tried.length > 1 ? `${message} Tried: ${tried.map(choiceName).join(', ')}.` : message,
      action:
        action +
        (others.length === 0 ? '' : ` ${serverType} is listed as available at: ${others.join(', ')}.`) +
        (types.length === 0 ? '' : ` Listed as available besides: ${types.join(', ')}.`),
    };
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
