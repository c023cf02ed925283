import { AppError } from '@agent-controller/kernel';
import type { FallbackRequest } from '../provision-request';
import type { ServerChoice } from '../provisioning.types';
import type { OrderCheck } from './order-check';

/** As far as it is known; only where there are no problems is all of it. */
export type FoundChoice = { [Key in keyof ServerChoice]: ServerChoice[Key] | null };

export interface ChoiceCheck {
  /** What is ordered first. */
  order: OrderCheck['order'];
  /** What is ordered where there is no room for it, in this order. */
  fallback: FoundChoice[];
  problems: AppError[];
}

/**
 * An order with its alternatives, each checked like the order itself. Those that are full at present are passed over, as
 * they would be when they are ordered; only when nothing else is left, that is a problem.
 * @param main what the order itself led to: its image is theirs as well
 * @param checks of each alternative, in their order
 */
export function checkChoices(
  main: OrderCheck,
  wanted: readonly FallbackRequest[],
  checks: readonly OrderCheck[],
): ChoiceCheck {
  const sound = [main, ...checks].find(({ problems }) => problems.length === 0);
  const isPassedOver = ({ isFull }: OrderCheck) => isFull && sound !== undefined;
  const entries = checks.flatMap((check, index) => (isPassedOver(check) ? [] : { check, index }));
  const known = main.problems.map(({ message }) => message);
  const ofEntries = entries.flatMap(({ check, index }) =>
    check.problems
      // An image that the provider does not have is one problem, not eleven.
      .filter(({ code, message }) => !code.startsWith('image-') || !known.includes(message))
      .map((problem) => ofEntry(problem, index)),
  );
  const first = isPassedOver(main) ? (sound ?? main) : main;
  const fallback = entries
    .map(({ check: { order }, index }) => ({
      serverType: order.serverType ?? wanted[index]?.serverType ?? null,
      location: order.location,
      monthlyCost: order.monthlyCost,
      currency: order.currency,
    }))
    // Where the order named no location, the one that was found for it may be among them.
    .filter(({ serverType, location }) => serverType !== first.order.serverType || location !== first.order.location);
  return { order: first.order, fallback, problems: [...(isPassedOver(main) ? [] : main.problems), ...ofEntries] };
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
