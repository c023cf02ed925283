import { AppError } from '@agent-controller/kernel';

export const MAX_WAIT_SECONDS = 600;

/**
 * How long a caller is willing to wait (RFC 7240), at most 600 s; null when the header asks for no wait. `wait` without
 * a number means as long as possible.
 * @throws AppError `validation-failed`
 */
export function preferredWaitSeconds(header: string | string[] | undefined): number | null {
  const preferences = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(/[,;]/);
  for (const preference of preferences) {
    const [name = '', value] = preference.split('=').map((part) => part.trim());
    if (name.toLowerCase() !== 'wait') continue;
    if (value === undefined) return MAX_WAIT_SECONDS;
    if (!/^\d+$/.test(value)) {
      throw new AppError('validation-failed', 'The header Prefer is not understood.', {
        errors: [{ field: 'Prefer', message: `wait must be a whole number of seconds, at most ${MAX_WAIT_SECONDS}` }],
      });
    }
    return Math.min(Number(value), MAX_WAIT_SECONDS);
  }
  return null;
}
