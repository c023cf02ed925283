import { AppError } from '@agent-controller/kernel';

/**
 * The key by which a caller may repeat a request; null without the header. Sent twice, Node joins the values by a comma
 * and a space, which is refused.
 * @throws AppError `validation-failed`
 */
export function idempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new AppError('validation-failed', 'The header Idempotency-Key is not understood.', {
    errors: [{ field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters, without spaces' }],
  });
}
