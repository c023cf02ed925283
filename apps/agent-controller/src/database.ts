import { ACCESS_ENTITIES } from '@agent-controller/access';
import { Client } from '@agent-controller/clients';
import { dataSourceOptions, EncryptionCanary, EncryptionCanaryService, SealedValues } from '@agent-controller/database';
import { SecretBox, type Logger } from '@agent-controller/kernel';
import { WORKFLOW_ENTITIES } from '@agent-controller/provisioning-workflow';
import { runMigrations } from 'graphile-worker';
import { DataSource } from 'typeorm';

export const ENTITIES = [Client, ...WORKFLOW_ENTITIES, ...ACCESS_ENTITIES, EncryptionCanary];

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
 * @param keys where given, nothing is changed unless they belong to this database, and the canary is there afterwards
 * @throws WrongEncryptionKeysError
 */
export async function migrateUp(directUrl: string, keys?: readonly Buffer[]): Promise<void> {
  await withMigrationLock(directUrl, async (dataSource) => {
    const canary = keys && new EncryptionCanaryService(dataSource, new SecretBox(keys));
    await canary?.check();
    await dataSource.runMigrations();
    await runMigrations({ connectionString: directUrl });
    await keepToIndexes(dataSource);
    await canary?.secret();
  });
}

/**
 * PL/pgSQL keeps the plans of a function's statements for as long as a connection lasts. Those of graphile-worker were made
 * while few jobs waited, and read all jobs for each new one: 3 ms more for an order behind 10,000. Such functions are made
 * anew by its migrations, so they are looked through at each start. Who does not own them leaves them as they are.
 */
async function keepToIndexes(dataSource: DataSource): Promise<void> {
  const functions: { name: string }[] = await dataSource.query(
    `SELECT pg_proc.oid::regprocedure::text AS name FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
     WHERE nspname = 'graphile_worker' AND proname IN ('add_jobs', 'complete_jobs') AND pg_has_role(proowner, 'USAGE')
       AND NOT coalesce(proconfig, '{}') @> '{enable_seqscan=off}'`,
  );
  for (const { name } of functions) await dataSource.query(`ALTER FUNCTION ${name} SET enable_seqscan = off`);
}

/** Says which stored secrets the given keys do not open: what needs them fails until the missing key is back. */
export async function secretBox(dataSource: DataSource, keys: readonly Buffer[], logger: Logger): Promise<SecretBox> {
  const box = new SecretBox(keys, await new EncryptionCanaryService(dataSource, new SecretBox(keys)).secret());
  for (const { table, column, keyId, count } of await new SealedValues(dataSource).counts()) {
    if (box.keyIds.includes(keyId)) continue;
    logger.warn({ table, column, keyId, count }, 'secrets are sealed with a key that is not among ENCRYPTION_KEYS');
  }
  return box;
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
