import type { DataSourceOptions, EntitySchema, MixedList } from 'typeorm';
import { migrations } from './migrations';

export interface DatabaseOptions {
  /** `postgres://…`; may be a transaction pooler. */
  url: string;
  /** Connections of this process at most. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  // TypeORM's own type for a list of entity classes.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type
  entities: MixedList<Function | string | EntitySchema>;
}

/** How every TypeORM DataSource of the system is set up. The schema comes from migrations alone. */
export function dataSourceOptions({ url, poolSize, applicationName, entities }: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    applicationName,
    entities,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'all',
    synchronize: false,
    extra: { max: poolSize, connectionTimeoutMillis: 10_000 },
  };
}
