import type { DataSourceOptions, EntitySchema, MixedList } from 'typeorm';
import { SturdyClient } from './database-client';
import { POOL_OPTIONS } from './database-pool';
import { migrations } from './migrations';

export interface DatabaseOptions {
  /** `postgres://…`; may be a transaction pooler. */
  url: string;
  /** Connections of this process at most. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Waits for every answer however long it takes: for migrations, which wait for their turn. */
  patient?: boolean;
  /** A connection is the same server process from one statement to the next: not so through a transaction pooler. */
  keepsStatements?: boolean;
  /** An idle connection broke; it is replaced. */
  onError?: (error: Error) => void;
  // TypeORM's own type for a list of entity classes.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type
  entities: MixedList<Function | string | EntitySchema>;
}

/** How every TypeORM DataSource of the system is set up. The schema comes from migrations alone. */
export function dataSourceOptions(options: DatabaseOptions): DataSourceOptions {
  const { url, poolSize, applicationName, entities, patient = false, keepsStatements = false, onError } = options;
  const Client = patient ? SturdyClient : POOL_OPTIONS.Client;
  return {
    type: 'postgres',
    url,
    applicationName,
    entities,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'all',
    synchronize: false,
    extra: { ...POOL_OPTIONS, Client, max: poolSize, keepsStatements },
    ...(onError ? { poolErrorHandler: onError } : {}),
  };
}
