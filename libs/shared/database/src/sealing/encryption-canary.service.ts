import { placeIn, SEALED_COLUMNS, SealedValueError, type SecretBox } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SealedValues } from './sealed-values';
import { WrongEncryptionKeysError } from './wrong-encryption-keys.error';

const PLACE = placeIn(SEALED_COLUMNS[0], 'true');

/** The row `encryption_canary`: whether the given keys belong to this database, and its own secret. */
export class EncryptionCanaryService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secretBox: SecretBox,
  ) {}

  /**
   * Only reads, also where the tables are still to be made.
   * @throws WrongEncryptionKeysError
   */
  async check(): Promise<void> {
    const sealed = await this.find();
    if (sealed === null) await this.assertOpensOthers();
    else this.open(sealed);
  }

  /**
   * The installation's secret. The first who asks makes it; of two at once, both get the same.
   * @throws WrongEncryptionKeysError
   */
  async secret(): Promise<Buffer> {
    const found = await this.find();
    if (found !== null) return this.open(found);
    await this.assertOpensOthers();
    await this.dataSource.query('INSERT INTO encryption_canary (sealed_secret) VALUES ($1) ON CONFLICT DO NOTHING', [
      this.secretBox.seal(randomBytes(32).toString('base64'), PLACE),
    ]);
    return this.open((await this.find()) ?? '');
  }

  private async find(): Promise<string | null> {
    const [table]: { found: boolean }[] = await this.dataSource.query(
      `SELECT to_regclass('encryption_canary') IS NOT NULL AS found`,
    );
    if (!table?.found) return null;
    const [row]: { sealed: string }[] = await this.dataSource.query(
      'SELECT sealed_secret AS sealed FROM encryption_canary',
    );
    return row?.sealed ?? null;
  }

  private open(sealed: string): Buffer {
    try {
      return Buffer.from(this.secretBox.open(sealed, PLACE), 'base64');
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      throw new WrongEncryptionKeysError(error.message, this.secretBox.keyIds);
    }
  }

  /** A database of a release before the canary may hold values that none of the keys opens. */
  private async assertOpensOthers(): Promise<void> {
    const counts = await new SealedValues(this.dataSource).counts();
    const given = this.secretBox.keyIds;
    if (counts.length === 0 || counts.some(({ keyId }) => given.includes(keyId))) return;
    const ids = [...new Set(counts.map(({ keyId }) => keyId))].join(', ');
    throw new WrongEncryptionKeysError(`its values were sealed with the keys ${ids}`, given);
  }
}
