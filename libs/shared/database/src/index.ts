export { dataSourceOptions, type DatabaseOptions } from './data-source.options';
export { DATABASE_PATIENCE_MS, DatabaseClient } from './database-client';
export { createPool, type PoolSettings } from './database-pool';
export { isDatabaseAway } from './database-trouble';
export { migrations } from './migrations';
export { columnsOf, insertOf, quickQuery, withPrefix } from './quick-query';
