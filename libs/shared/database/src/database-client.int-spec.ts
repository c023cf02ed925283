import type { Pool } from 'pg';
import { DATABASE_PATIENCE_MS, DatabaseClient } from './database-client';
import { createPool } from './database-pool';
import { createTestDatabase, type TestDatabase } from './testing';

describe('connections that give themselves up', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({ url: database.url, size: 1, applicationName: 'test', onError: () => undefined });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const tooLong = `SELECT pg_sleep(${DATABASE_PATIENCE_MS / 1000 + 60})`;

  it('an answer that stays away fails the query, and the pool goes on with another connection', async () => {
    const answers = await Promise.allSettled([pool.query(tooLong), pool.query('SELECT 1 AS one')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await pool.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
  });

  it('a transaction cannot go on after it', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await expect(client.query(tooLong)).rejects.toThrow('Connection terminated');
    await expect(client.query('SELECT 1')).rejects.toThrow('not queryable');
    client.release();
    expect((await pool.query('SELECT 3 AS three')).rows).toEqual([{ three: 3 }]);
  });

  it('answers in time, however the query was asked, disturb nothing later', async () => {
    const client = new DatabaseClient({ connectionString: database.url });
    await client.connect();
    expect((await client.query({ text: 'SELECT $1::integer AS n', values: [1] })).rows).toEqual([{ n: 1 }]);
    const byCallback = await new Promise((resolve, reject) =>
      client.query('SELECT 2 AS n', (error: Error | null, result) => (error ? reject(error) : resolve(result.rows))),
    );
    expect(byCallback).toEqual([{ n: 2 }]);
    await expect(client.query('SELECT nonsense')).rejects.toThrow('nonsense');
    await client.end();
  });

  it('of a pool by indexes have these settings before their first statement, and plans are not compiled', async () => {
    const { url } = database;
    const byIndexes = createPool({ url, size: 1, applicationName: 'test', onError: () => undefined, byIndexes: true });
    const settings = `SELECT name, setting FROM pg_settings
      WHERE name IN ('enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'jit') AND setting = 'off'`;
    expect((await byIndexes.query(settings)).rows).toHaveLength(4);
    await byIndexes.end();
  });
});
