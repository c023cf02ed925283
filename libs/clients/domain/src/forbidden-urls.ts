import { AppError } from '@agent-controller/kernel';
import type { OutboundGuard } from '@agent-controller/outbound';

/**
 * What forbids to call the URLs that a request names, by their fields; null when nothing does.
 * @param urls fields without one are passed over
 */
export async function forbiddenUrls(
  guard: OutboundGuard,
  urls: Readonly<Record<string, string | null | undefined>>,
): Promise<AppError | null> {
  const checked = await Promise.all(
    Object.entries(urls).map(async ([field, url]) => {
      const message = url ? await guard.problem(url, 'named-by-caller') : null;
      return message === null ? [] : [{ field, message: `must not be called: ${message}` }];
    }),
  );
  const errors = checked.flat();
  if (errors.length === 0) return null;
  const named = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new AppError('host-not-allowed', `${named}.`, { errors });
}
