import { ValidateBy } from 'class-validator';

export const MAX_FALLBACK = 10;

interface Choice {
  serverType?: unknown;
  location?: unknown;
}

/** Of the list as a whole; its entries are checked one by one. */
export function fallbackProblem(value: unknown, order: Choice): string | null {
  if (!Array.isArray(value)) return 'must be an array of objects with serverType and location';
  if (value.length > MAX_FALLBACK) return `must not have more than ${MAX_FALLBACK} entries`;
  if (!value.every(isObject)) return 'must have only objects';
  const entries = value.map(choiceText);
  const first = choiceText(order);
  const twice = entries.findIndex((entry, index) => entry === first || entries.indexOf(entry) < index);
  if (twice < 0) return null;
  const what = entries[twice] === first ? 'what is ordered in the first place' : 'an earlier entry';
  return `must not repeat itself: entry [${twice}] is ${what}`;
}

function isObject(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && !Array.isArray(entry);
}

function choiceText(choice: unknown): string {
  const { serverType, location } = (choice ?? {}) as Choice;
  return JSON.stringify([serverType ?? null, location ?? null]);
}

/** A list of other choices than the order's own, none of them twice. */
export function IsFallback(): PropertyDecorator {
  return ValidateBy({
    name: 'isFallback',
    validator: {
      validate: (value, args) => fallbackProblem(value, args?.object ?? {}) === null,
      defaultMessage: (args) => fallbackProblem(args?.value, args?.object ?? {}) ?? '',
    },
  });
}
