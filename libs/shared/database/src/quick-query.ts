import type { Pool } from 'pg';
import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';

/** Statements have names for the server, one for each text. Texts are ours, never a caller's: there are few. */
const NAMES = new Map<string, string>();

/** A part of a statement, with the values of its parameters in their order. */
export interface Fragment {
  text: string;
  values: unknown[];
}

interface PooledDriver {
  master: Pool;
}

/**
 * Asks past TypeORM, which costs several times what the driver does: for what many callers wait for. The server keeps the
 * plan, where the connection stays the same from one statement to the next (`keepsStatements`).
 * @returns rows as the driver reads them
 */
export async function quickQuery<T>(dataSource: DataSource, text: string, values: readonly unknown[]): Promise<T[]> {
  const { master } = dataSource.driver as unknown as PooledDriver;
  const { extra } = dataSource.options as { extra?: { keepsStatements?: boolean } };
  const { rows } = await master.query(
    extra?.keepsStatements ? { name: nameOf(text), text, values: [...values] } : { text, values: [...values] },
  );
  return rows as T[];
}

function nameOf(text: string): string {
  const known = NAMES.get(text);
  if (known) return known;
  const name = `quick-${NAMES.size + 1}`;
  NAMES.set(text, name);
  return name;
}

/**
 * The columns of an entity as a select list, each named as its property behind `prefix`: rows look like the entities that
 * TypeORM would make of them.
 */
export function columnsOf<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  alias: string,
  {
    prefix = '',
    only,
    without = [],
  }: { prefix?: string; only?: readonly (keyof T & string)[]; without?: readonly (keyof T & string)[] } = {},
): string {
  return dataSource
    .getMetadata(entity)
    .columns.filter(({ propertyName }) => !without.includes(propertyName) && (only?.includes(propertyName) ?? true))
    .map(({ databaseName, propertyName }) => `${alias}."${databaseName}" AS "${prefix}${propertyName}"`)
    .join(', ');
}

/**
 * An entity as columns and values of an INSERT; what is undefined gets the column's default.
 * @param from number of the first parameter
 */
export function insertOf<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  row: T,
  from: number,
): Fragment {
  const metadata = dataSource.getMetadata(entity);
  const columns = metadata.columns.filter(({ propertyName }) => row[propertyName] !== undefined);
  const names = columns.map(({ databaseName }) => `"${databaseName}"`).join(', ');
  const places = columns.map((_, index) => `$${from + index}`).join(', ');
  const text = `INSERT INTO ${metadata.tableName} (${names}) VALUES (${places})`;
  return { text, values: columns.map((column) => toColumn(column, row)) };
}

/**
 * Changes of an entity as the beginning of an UPDATE, up to its SET list; what is undefined stays. The column that says
 * when a row was changed is set as TypeORM would.
 * @param from number of the first parameter
 */
export function updateOf<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  changes: Partial<T>,
  from: number,
): Fragment {
  const columns = changedColumns(dataSource, entity, changes);
  const names = columns.map(({ databaseName }) => databaseName);
  const text = updateSet(dataSource, entity, names, (_name, index) => `$${from + index}`);
  return { text, values: columns.map((column) => toColumn(column, changes)) };
}

/** The same for many rows, whose changes are to the same columns: those are taken from a record, `alias`. */
export function updateFrom<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  columns: readonly string[],
  alias: string,
): string {
  return updateSet(dataSource, entity, columns, (name) => `${alias}."${name}"`);
}

/** Changes of an entity by the names of its columns, as `jsonb_populate_record` reads them once they are JSON. */
export function recordOf<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  changes: Partial<T>,
): Record<string, unknown> {
  const columns = changedColumns(dataSource, entity, changes);
  return Object.fromEntries(columns.map(({ databaseName, propertyName }) => [databaseName, changes[propertyName]]));
}

function changedColumns<T extends ObjectLiteral>(dataSource: DataSource, entity: EntityTarget<T>, changes: Partial<T>) {
  return dataSource.getMetadata(entity).columns.filter(({ propertyName }) => changes[propertyName] !== undefined);
}

function updateSet<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  columns: readonly string[],
  valueOf: (name: string, index: number) => string,
): string {
  const { tableName, updateDateColumn } = dataSource.getMetadata(entity);
  const set = columns.map((name, index) => `"${name}" = ${valueOf(name, index)}`);
  if (updateDateColumn && !columns.includes(updateDateColumn.databaseName)) {
    set.push(`"${updateDateColumn.databaseName}" = now()`);
  }
  return `UPDATE ${tableName} SET ${set.join(', ')}`;
}

function toColumn({ propertyName, type }: { propertyName: string; type: unknown }, row: ObjectLiteral): unknown {
  const value: unknown = row[propertyName];
  return type === 'jsonb' && value !== null ? JSON.stringify(value) : value;
}

/** The entity that TypeORM would make of the columns with this prefix. */
export function entityOf<T extends object>(make: new () => T, row: Record<string, unknown>, prefix: string): T {
  return Object.assign(new make(), withPrefix<T>(row, prefix));
}

/** What of a row was named with this prefix. */
export function withPrefix<T>(row: Record<string, unknown>, prefix: string): T {
  const found: Record<string, unknown> = {};
  for (const name in row) if (name.startsWith(prefix)) found[name.slice(prefix.length)] = row[name];
  return found as T;
}
