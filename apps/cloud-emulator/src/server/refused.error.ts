/** Why a real server would never come up. The message stands in the admin API. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}
