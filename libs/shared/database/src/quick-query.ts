import type { Pool } from 'pg';
import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';

/** A statement that is asked often. Its name must stand for this text alone. */
export interface QuickStatement {
  name: string;
  text: string;
}

interface PooledDriver {
  master: Pool;
}

/**
 * Asks past TypeORM, which costs several times what the driver does: for what many callers wait for. The server keeps the
 * plan, where the connection stays the same from one statement to the next (`keepsStatements`).
 * @returns rows as the driver reads them
 */
export async function quickQuery<T>(
  dataSource: DataSource,
  { name, text }: QuickStatement,
  values: readonly unknown[],
): Promise<T[]> {
  const { master } = dataSource.driver as unknown as PooledDriver;
  const { extra } = dataSource.options as { extra?: { keepsStatements?: boolean } };
  const { rows } = await master.query(
    extra?.keepsStatements ? { name, text, values: [...values] } : { text, values: [...values] },
  );
  return rows as T[];
}

/**
 * The columns of an entity as a select list, each named as its property behind `prefix`: rows look like the entities that
 * TypeORM would make of them.
 */
export function columnsOf<T extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<T>,
  alias: string,
  { prefix = '', without = [] }: { prefix?: string; without?: readonly (keyof T & string)[] } = {},
): string {
  return dataSource
    .getMetadata(entity)
    .columns.filter(({ propertyName }) => !without.includes(propertyName))
    .map(({ databaseName, propertyName }) => `${alias}."${databaseName}" AS "${prefix}${propertyName}"`)
    .join(', ');
}

/** What of a row was named with this prefix. */
export function withPrefix<T>(row: Record<string, unknown>, prefix: string): T {
  const found: Record<string, unknown> = {};
  for (const name in row) if (name.startsWith(prefix)) found[name.slice(prefix.length)] = row[name];
  return found as T;
}
