import { SEALED_COLUMNS, type SealedColumn } from '@agent-controller/kernel';
import type { DataSource } from 'typeorm';

export interface SealedCount {
  table: string;
  column: string;
  keyId: string;
  count: number;
}

/** A sealed value as it is stored, and the primary key of its row as text. */
export interface StoredValue {
  rowId: string;
  sealed: string;
}

/** The middle part of a sealed value. */
const KEY_ID = (column: string) => `split_part(${column}, '.', 2)`;

/** What is stored in the sealed columns, unopened. */
export class SealedValues {
  constructor(private readonly dataSource: DataSource) {}

  /** How many values each key sealed. Reads each value once: for starts and rotations. Columns to come have none. */
  async counts(): Promise<SealedCount[]> {
    const counts: SealedCount[] = [];
    for (const { table, column } of SEALED_COLUMNS) {
      if (!(await this.exists(table, column))) continue;
      const rows: Pick<SealedCount, 'keyId' | 'count'>[] = await this.dataSource.query(
        `SELECT ${KEY_ID(column)} AS "keyId", count(*)::integer AS count FROM ${table} WHERE ${column} IS NOT NULL
         GROUP BY 1 ORDER BY 1`,
      );
      counts.push(...rows.map((row) => ({ table, column, ...row })));
    }
    return counts;
  }

  /** Values that another key sealed, in the order of their rows. @param after the last row of the batch before */
  batch(
    { table, column, primaryKey, primaryKeyType }: SealedColumn,
    keyId: string,
    after: string | null,
    limit: number,
  ) {
    return this.dataSource.query<StoredValue[]>(
      `SELECT ${primaryKey}::text AS "rowId", ${column} AS sealed FROM ${table}
       WHERE ${column} IS NOT NULL AND ${KEY_ID(column)} <> $1 AND ($2::text IS NULL OR ${primaryKey} > $2::${primaryKeyType})
       ORDER BY ${primaryKey} LIMIT $3`,
      [keyId, after, limit],
    );
  }

  /**
   * Replaces values that are still what they were: what was written, wiped or deleted meanwhile stays so.
   * @returns how many were replaced
   */
  async replace(
    { table, column, primaryKey, primaryKeyType }: SealedColumn,
    values: readonly (StoredValue & { anew: string })[],
  ): Promise<number> {
    const [, count]: [unknown, number] = await this.dataSource.query(
      `UPDATE ${table} SET ${column} = given.anew
       FROM unnest($1::text[], $2::text[], $3::text[]) AS given (id, sealed, anew)
       WHERE ${table}.${primaryKey} = given.id::${primaryKeyType} AND ${table}.${column} = given.sealed`,
      [values.map(({ rowId }) => rowId), values.map(({ sealed }) => sealed), values.map(({ anew }) => anew)],
    );
    return count;
  }

  private async exists(table: string, column: string): Promise<boolean> {
    const [row]: { found: boolean }[] = await this.dataSource.query(
      `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2) AS found`,
      [table, column],
    );
    return row?.found === true;
  }
}
