import 'reflect-metadata';
import { migrateUp, withMigrationLock } from './database';

/** For operations and checks: `node migrate.js up|down|down-all|check|empty`, with DATABASE_URL (and DATABASE_DIRECT_URL). */
async function main([command]: string[], directUrl: string | undefined): Promise<void> {
  if (!directUrl) throw new Error('DATABASE_URL is missing');
  switch (command) {
    case 'up':
      return migrateUp(directUrl);
    case 'down':
      return withMigrationLock(directUrl, (dataSource) => dataSource.undoLastMigration());
    case 'down-all':
      return withMigrationLock(directUrl, async (dataSource) => {
        for (const _migration of dataSource.migrations) await dataSource.undoLastMigration();
      });
    case 'check':
      return withMigrationLock(directUrl, async (dataSource) => {
        const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
        if (upQueries.length === 0) return;
        throw new Error(`The entities differ from the migrations:\n${upQueries.map(({ query }) => query).join('\n')}`);
      });
    case 'empty':
      return withMigrationLock(directUrl, async (dataSource) => {
        const tables: { name: string }[] = await dataSource.query(
          `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`,
        );
        if (tables.length > 0) throw new Error(`Tables are left: ${tables.map(({ name }) => name).join(', ')}`);
      });
    default:
      throw new Error('Usage: migrate up | down | down-all | check | empty');
  }
}

// eslint-disable-next-line no-restricted-properties -- a program of its own, which needs two variables only
const { DATABASE_URL, DATABASE_DIRECT_URL } = process.env;
main(process.argv.slice(2), DATABASE_DIRECT_URL || DATABASE_URL).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
