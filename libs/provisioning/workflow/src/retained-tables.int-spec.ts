import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { WorkflowDatabase } from './testing/workflow-database';

const OPERATIONS = resolve(__dirname, '../../../../docs/operations.md');

/** What grows must end: whoever adds a table has to say when its rows go. */
describe('the list of tables in docs/operations.md', () => {
  it('names every table, and none that there is not', async () => {
    const text = readFileSync(OPERATIONS, 'utf8');
    const [section] = text.slice(text.indexOf('## What is kept, and for how long')).split(/\n## (?!What is kept)/);
    const listed = [...(section ?? '').matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name ?? '');
    const database = await WorkflowDatabase.create();
    try {
      const tables: { name: string }[] = await database.dataSource.query(
        `SELECT table_name AS name FROM information_schema.tables
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`,
      );
      expect(listed.sort()).toEqual(tables.map(({ name }) => name).sort());
    } finally {
      await database.dispose();
    }
  });
});
