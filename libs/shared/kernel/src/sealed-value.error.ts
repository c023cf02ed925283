import type { SealedPlace } from './sealed-columns';

/**
 * - `unknown-key`: sealed with a key that is not configured; with that key it opens.
 * - `not-authentic`: altered, or moved from another row or column.
 */
export type SealedValueTrouble = 'unknown-key' | 'not-authentic';

/** A sealed value that cannot be opened. Its message names the place and the key's id: nothing of the value. */
export class SealedValueError extends Error {
  override readonly name = 'SealedValueError';

  constructor(
    readonly trouble: SealedValueTrouble,
    readonly place: SealedPlace,
    readonly keyId: string | null,
  ) {
    super(`${place.table}.${place.column} of row ${place.rowId} ${reason(trouble, keyId)}`);
  }
}

function reason(trouble: SealedValueTrouble, keyId: string | null): string {
  if (trouble === 'unknown-key') return `was sealed with the key ${keyId}, which is not among ENCRYPTION_KEYS`;
  if (keyId === null) return 'is no sealed value';
  return `does not open with its key ${keyId}: it was altered, or moved here from another row or column`;
}
