import { AppError } from '@agent-controller/kernel';
import type { FallbackRequest } from '../provision-request';
import type { ServerChoice } from '../provisioning.types';
import type { OrderCheck } from './order-check';

/** As far as it is known; only where there are no problems is all of it. */
export type FoundChoice = { [Key in keyof ServerChoice]: ServerChoice[Key] | null };

export interface FallbackCheck {
  choices: FoundChoice[];
  problems: AppError[];
}

/**
 * Alternatives to an order, each checked like the order itself.
 * @param main what the order itself led to: its image is theirs as well
 * @param checks of each alternative, in their order
 */
export function checkFallback(
  wanted: readonly FallbackRequest[],
  main: OrderCheck,
  checks: readonly OrderCheck[],
): FallbackCheck {
  const known = main.problems.map(({ message }) => message);
  const problems = checks.flatMap((check, index) =>
    check.problems
      // An image that the provider does not have is one problem, not eleven.
      .filter(({ code, message }) => !code.startsWith('image-') || !known.includes(message))
      .map((problem) => ofEntry(problem, index)),
  );
  const choices = checks
    .map(({ order }, index) => ({
      serverType: order.serverType ?? wanted[index]?.serverType ?? null,
      location: order.location,
      monthlyCost: order.monthlyCost,
      currency: order.currency,
    }))
    // Where the order named no location, the one that was found for it may be among them.
    .filter(({ serverType, location }) => serverType !== main.order.serverType || location !== main.order.location);
  return { choices, problems };
}

/** The same refusal, of an entry of `fallback`. The image is one for all: it is the entry that does not fit it. */
function ofEntry({ code, message, options }: AppError, index: number): AppError {
  const isOfImage = code.startsWith('image-');
  const errors = options.errors?.map((error) => ({
    field: `fallback[${index}].${isOfImage ? 'serverType' : error.field}`,
    message: error.message,
  }));
  return new AppError(code, `fallback[${index}]: ${message}`, {
    errors,
    extensions: isOfImage ? undefined : options.extensions,
  });
}
