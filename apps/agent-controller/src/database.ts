import { ACCESS_ENTITIES } from '@agent-controller/access';
import { Client } from '@agent-controller/clients';
import { dataSourceOptions } from '@agent-controller/database';
import type { Logger } from '@agent-controller/kernel';
import { WORKFLOW_ENTITIES } from '@agent-controller/provisioning-workflow';
import { runMigrations } from 'graphile-worker';
import { DataSource } from 'typeorm';

export const ENTITIES = [Client, ...WORKFLOW_ENTITIES, ...ACCESS_ENTITIES];

const ACCESS = { applicationName: 'agent-controller', entities: ENTITIES };

/** Any number; the same for every controller of a database. */
const MIGRATION_LOCK = 7_312_054_901;

/**
 * @param mayBePooler there is another URL for what needs a session, so this one may lead to a transaction pooler
 * @param logger is told of idle connections that broke; their pool replaces them
 */
export function createDataSource(url: string, mayBePooler: boolean, logger: Logger): DataSource {
  const onError = (err: Error) => logger.warn({ err }, 'a connection to the database broke');
  return new DataSource(dataSourceOptions({ ...ACCESS, url, poolSize: 10, keepsStatements: !mayBePooler, onError }));
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
  // Another controller's migrations may take their time.
  const options = dataSourceOptions({ ...ACCESS, url: directUrl, poolSize: 3, patient: true });
  const dataSource = await new DataSource(options).initialize();
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
