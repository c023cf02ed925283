/** `ENCRYPTION_KEYS` are not those of this database. Its message has ids of keys, and no key. */
export class WrongEncryptionKeysError extends Error {
  override readonly name = 'WrongEncryptionKeysError';

  constructor(problem: string, given: readonly string[]) {
    super(
      `ENCRYPTION_KEYS does not fit this database: ${problem}. The given keys have the ids ${given.join(', ')}. ` +
        'Nothing was changed. Put the missing key back (the first key seals, all of them open), or set DATABASE_URL to ' +
        'the database that these keys belong to. See "Keys" in docs/operations.md.',
    );
  }
}
