import { Pool, type ClientBase, type PoolClient } from 'pg';
import { DATABASE_PATIENCE_MS, DatabaseClient } from './database-client';

/** What every pool of the system is made with. */
export const POOL_OPTIONS = {
  Client: DatabaseClient,
  connectionTimeoutMillis: DATABASE_PATIENCE_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

export interface PoolSettings {
  url: string;
  /** Connections at most. */
  size: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** A connection broke, idle or in use. Its pool replaces it: this is for the log. */
  onError: (error: Error) => void;
  /**
   * For statements that are planned while a table is small, and used when it is large: from the start they read it by its
   * indexes, in their order. For a direct connection: it is a setting of the session.
   */
  byIndexes?: boolean;
}

/**
 * Not as parameters of the connection: poolers in session mode refuse those that they do not know. Up to PostgreSQL 17 a way
 * that is off, and yet the only one, counts as so dear that each execution would be compiled, for 0.15 s and more.
 */
async function readByIndexes(client: ClientBase): Promise<void> {
  await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET jit = off');
}

/** Pools of this process, for whoever measures them. */
const pools = new Set<{ name: string; pool: Pool }>();

/** Those that are in use now. */
export function openPools(): { name: string; pool: Pool }[] {
  for (const one of pools) if (one.pool.ending) pools.delete(one);
  return [...pools];
}

/** A pool for what does not go through TypeORM. A broken connection never ends the process. */
export function createPool({ url, size, applicationName, onError, byIndexes = false }: PoolSettings): Pool {
  const pool = new Pool({
    ...POOL_OPTIONS,
    ...(byIndexes ? { onConnect: readByIndexes } : {}),
    connectionString: url,
    max: size,
    application_name: applicationName,
  });
  openPools();
  pools.add({ name: applicationName, pool });
  pool.on('error', onError);
  pool.on('connect', (client: PoolClient) => client.on('error', onError));
  return pool;
}
