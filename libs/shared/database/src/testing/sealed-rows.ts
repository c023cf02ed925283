import { SEALED_COLUMNS, placeIn, type SealedColumn, type SecretBox } from '@agent-controller/kernel';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';

/** How a row of each table with sealed columns is made, in SQL: `$1` is its id. */
const INSERTS: Record<string, string> = {
  clients: `INSERT INTO clients (id, owner, name, agent_ws_port, authentication_type, is_auto_provisioned)
    VALUES ($1::uuid, 'someone', $1::text, 8080, 'api_key', true)`,
  provisioning_references: `WITH client AS (
      INSERT INTO clients (id, owner, name, agent_ws_port, authentication_type, is_auto_provisioned)
      VALUES (gen_random_uuid(), 'someone', gen_random_uuid()::text, 8080, 'api_key', true) RETURNING id)
    INSERT INTO provisioning_references
      (id, client_id, provider_type, server_type, location, image, phase, phase_since, attempt_since, configuration)
    SELECT $1::uuid, id, 'hetzner', 'cx23', 'nbg1', 'debian-13', 'ready', now(), now(), '{}' FROM client`,
};

/** Columns of tables that may have many rows. */
export const MANY: readonly SealedColumn[] = SEALED_COLUMNS.filter(({ table }) => table !== 'encryption_canary');

/** Rows with sealed values, straight in the tables. @returns their ids, in order */
export async function insertSealed(
  dataSource: DataSource,
  box: SecretBox,
  column: SealedColumn,
  texts: readonly string[],
): Promise<string[]> {
  const ids = texts.map(() => randomUUID()).sort();
  for (const [index, id] of ids.entries()) {
    const insert = INSERTS[column.table];
    if (!insert) throw new Error(`How is a row of ${column.table} made? Say so here`);
    await dataSource.query(insert, [id]);
    await setSealed(dataSource, column, id, box.seal(texts[index] ?? '', placeIn(column, id)));
  }
  return ids;
}

export async function setSealed(dataSource: DataSource, column: SealedColumn, id: string, value: string | null) {
  await dataSource.query(`UPDATE ${column.table} SET ${column.column} = $2 WHERE ${column.primaryKey}::text = $1`, [
    id,
    value,
  ]);
}

export async function getSealed(dataSource: DataSource, column: SealedColumn, id: string): Promise<string> {
  const [row]: { value: string }[] = await dataSource.query(
    `SELECT ${column.column} AS value FROM ${column.table} WHERE ${column.primaryKey}::text = $1`,
    [id],
  );
  if (!row) throw new Error(`${column.table} has no row ${id}`);
  return row.value;
}
