import { ACCESS_ENTITIES } from '@agent-controller/access';
import { Client } from '@agent-controller/clients';
import { dataSourceOptions } from '@agent-controller/database';
import { WORKFLOW_ENTITIES } from '@agent-controller/provisioning-workflow';
import { runMigrations } from 'graphile-worker';
import { DataSource } from 'typeorm';

export const ENTITIES = [Client, ...WORKFLOW_ENTITIES, ...ACCESS_ENTITIES];

/** Any number; the same for every controller of a database. */
const MIGRATION_LOCK = 7_312_054_901;

export function createDataSource(url: string, poolSize = 10): DataSource {
  return new DataSource(dataSourceOptions({ url, poolSize, applicationName: 'agent-controller', entities: ENTITIES }));
}

/**
 * Brings the schema up to date, one controller at a time.
 * @param directUrl a connection string with session features: advisory locks do not work through a transaction pooler
 */
export async function migrateUp(directUrl: string): Promise<void> {
  await withMigrationLock(directUrl, async (dataSource) => {
    await dataSource.runMigrations();
    await runMigrations({ connectionString: directUrl });
  });
}

export async function withMigrationLock<T>(
  directUrl: string,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = await createDataSource(directUrl, 3).initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await work(dataSource);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await lock.release();
    await dataSource.destroy();
  }
}
