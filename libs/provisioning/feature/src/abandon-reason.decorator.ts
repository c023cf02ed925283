import { textProblem } from '@agent-controller/validation';
import { ValidateBy, ValidateIf } from 'class-validator';

/** Characters. */
export const MAX_REASON = 500;

interface Query {
  abandon?: unknown;
}

/** Why a server is given up; without that, a reason would be a misunderstanding. */
export function reasonProblem(value: unknown, { abandon }: Query): string | null {
  if (abandon !== 'true') return 'may be given only with abandon=true';
  if (value === undefined) return 'is required with abandon=true: say why the server is given up';
  const problem = textProblem(value);
  if (problem) return problem;
  const characters = [...String(value)];
  if (characters.every((character) => /\s/u.test(character))) return 'must not be blank';
  return characters.length > MAX_REASON ? `must not be longer than ${MAX_REASON} characters` : null;
}

/** 1 to 500 characters where `abandon` is true, and absent otherwise. */
export function IsAbandonReason(): PropertyDecorator {
  const skip = ValidateIf((query: Query, value) => value !== undefined || query.abandon === 'true');
  const rule = ValidateBy({
    name: 'isAbandonReason',
    validator: {
      validate: (value, args) => reasonProblem(value, (args?.object ?? {}) as Query) === null,
      defaultMessage: (args) => reasonProblem(args?.value, (args?.object ?? {}) as Query) ?? '',
    },
  });
  return (target, property) => {
    skip(target, property);
    rule(target, property);
  };
}
