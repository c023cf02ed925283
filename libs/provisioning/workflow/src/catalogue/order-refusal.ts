import { AppError, type ErrorCode } from '@agent-controller/kernel';

/** More would be a list, and for lists there are other calls. */
export const MAX_ALTERNATIVES = 5;

/** A 422 that names the field, and what could be asked for instead. */
export function refused(code: ErrorCode, field: string, message: string, alternatives: readonly string[]): AppError {
  const hint =
    alternatives.length > 0 ? `Use one of: ${alternatives.join(', ')}.` : 'There is no alternative at present.';
  return new AppError(code, `${message}. ${hint}`, {
    errors: [{ field, message: `${message}. ${hint}` }],
    extensions: { alternatives },
  });
}
