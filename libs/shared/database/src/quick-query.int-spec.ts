import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.options';
import { quickQuery } from './quick-query';
import { createTestDatabase, type TestDatabase } from './testing';

describe('quickQuery', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it.each([
    ['keeps the plan of a statement', true],
    ['leaves nothing in a session that may be another one’s next, behind a transaction pooler', false],
  ])('%s', async (_what, keepsStatements) => {
    const { url } = database;
    const options = dataSourceOptions({ url, poolSize: 1, applicationName: 'test', entities: [], keepsStatements });
    const dataSource = await new DataSource(options).initialize();
    for (let n = 0; n < 2; n++) {
      expect(await quickQuery(dataSource, 'SELECT $1::integer AS n', [n])).toEqual([{ n }]);
    }
    const prepared = await dataSource.query('SELECT statement FROM pg_prepared_statements');
    expect(prepared).toEqual(keepsStatements ? [{ statement: 'SELECT $1::integer AS n' }] : []);
    await dataSource.destroy();
  });
});
