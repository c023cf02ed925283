/** A column whose values `SecretBox` sealed, and the primary key that says in which row. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  readonly primaryKey: string;
  readonly primaryKeyType: 'uuid' | 'boolean';
}

/**
 * Every column with sealed values. `SecretBox` seals for no other (its types refuse it), and `rotate-keys` seals these
 * anew. Names are authenticated with each value: they can never change.
 */
export const SEALED_COLUMNS = [
  { table: 'encryption_canary', column: 'sealed_secret', primaryKey: 'singleton', primaryKeyType: 'boolean' },
  { table: 'clients', column: 'sealed_credentials', primaryKey: 'id', primaryKeyType: 'uuid' },
  { table: 'provisioning_references', column: 'sealed_secrets', primaryKey: 'id', primaryKeyType: 'uuid' },
] as const satisfies readonly SealedColumn[];

type PlaceIn<C> = C extends SealedColumn ? { table: C['table']; column: C['column']; rowId: string } : never;

/** Where a sealed value lives. It is authenticated with the value: moved elsewhere, the value no longer opens. */
export type SealedPlace = PlaceIn<(typeof SEALED_COLUMNS)[number]>;

/** @param rowId the primary key as text */
export function placeIn({ table, column }: SealedColumn, rowId: string): SealedPlace {
  return { table, column, rowId } as SealedPlace;
}
