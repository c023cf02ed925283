import { placeIn, SEALED_COLUMNS, sealedKeyId, SealedValueError, type SealedColumn } from '@agent-controller/kernel';
import type { SecretBox } from '@agent-controller/kernel';
import { SealedValues, type StoredValue } from './sealed-values';

export interface RotatedColumn {
  table: string;
  column: string;
  resealed: number;
  /** Written by others meanwhile, so left as they were. */
  changedMeanwhile: number;
  /** Values that another key sealed, when all was done. */
  left: number;
}

/** A value that could not be opened, and why: for people. */
export interface UnopenedValue {
  table: string;
  column: string;
  rowId: string;
  keyId: string | null;
  message: string;
}

export interface RotationReport {
  keyId: string;
  columns: RotatedColumn[];
  unopened: UnopenedValue[];
}

/** Few enough that the rows of a batch are locked for milliseconds. */
const BATCH_SIZE = 100;
/** A running step may write what it read before; each pass finds what the one before left. */
const PASSES = 3;

/**
 * Seals every value anew with the first key while controllers run. What is done is done: after a kill, the next run goes
 * on with the rest.
 */
export class KeyRotation {
  constructor(
    private readonly values: SealedValues,
    private readonly secretBox: SecretBox,
    private readonly batchSize = BATCH_SIZE,
  ) {}

  async run(): Promise<RotationReport> {
    const keyId = this.secretBox.sealingKeyId;
    const columns: RotatedColumn[] = [];
    const unopened: UnopenedValue[] = [];
    for (const column of SEALED_COLUMNS) columns.push(await this.rotate(column, unopened));
    const counts = await this.values.counts();
    const left = ({ table, column }: SealedColumn | RotatedColumn) =>
      counts
        .filter((each) => each.table === table && each.column === column && each.keyId !== keyId)
        .reduce((sum, { count }) => sum + count, 0);
    return { keyId, columns: columns.map((each) => ({ ...each, left: left(each) })), unopened };
  }

  private async rotate(column: SealedColumn, unopened: UnopenedValue[]): Promise<RotatedColumn> {
    const known = new Set<string>();
    let [resealed, changedMeanwhile] = [0, 0];
    for (let pass = 0; pass < PASSES; pass++) {
      const before = resealed + changedMeanwhile;
      let after: string | null = null;
      for (;;) {
        const batch = await this.values.batch(column, this.secretBox.sealingKeyId, after, this.batchSize);
        if (batch.length === 0) break;
        after = batch.at(-1)?.rowId ?? null;
        const anew = batch.flatMap((value) => this.reseal(column, value, known, unopened));
        const replaced = anew.length === 0 ? 0 : await this.values.replace(column, anew);
        resealed += replaced;
        changedMeanwhile += anew.length - replaced;
      }
      if (resealed + changedMeanwhile === before) break;
    }
    return { table: column.table, column: column.column, resealed, changedMeanwhile, left: 0 };
  }

  private reseal(column: SealedColumn, value: StoredValue, known: Set<string>, unopened: UnopenedValue[]) {
    const { rowId, sealed } = value;
    const place = placeIn(column, rowId);
    try {
      return [{ ...value, anew: this.secretBox.seal(this.secretBox.open(sealed, place), place) }];
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      const { table, column: name } = column;
      if (!known.has(rowId)) {
        unopened.push({ table, column: name, rowId, keyId: sealedKeyId(sealed), message: error.message });
      }
      known.add(rowId);
      return [];
    }
  }
}
