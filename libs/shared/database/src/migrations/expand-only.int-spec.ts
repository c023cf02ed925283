import { DataSource, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from '../data-source.options';
import { createTestDatabase, type TestDatabase } from '../testing';
import { migrations } from '.';

interface Column {
  table: string;
  column: string;
  type: string;
  isRequired: boolean;
  hasDefault: boolean;
}

interface Schema {
  columns: Map<string, Column>;
  /** What values must obey besides their types. */
  rules: Map<string, Rule>;
}

interface Rule {
  table: string;
  /** Those it is about; none for triggers. */
  columns: string[];
  text: string;
}

/**
 * What a migration may do although an older release might stumble over it, with the reason why none does:
 * `<migration>: <what is reported>` → reason.
 */
const ALLOWED: Record<string, string> = {
  "Sweep1764500000000: a new rule: clients: CHECK ((health = ANY (ARRAY['healthy'::text, 'unreachable'::text, 'credentials-refused'::text, 'lost'::text])))":
    'the rule before it with one more value: whatever an older release writes is allowed',
  'Retention1764960000000: a new rule: audit_log: CREATE TRIGGER audit_log_keeps_a_month BEFORE DELETE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_keeps_a_month()':
    'an older release deletes nothing there, and could not',
};

/**
 * While a new release starts, controllers of the one before still work on the same database: migrations expand only
 * (new tables; columns that may be left out). What is not needed any more goes with a later release.
 */
describe('each migration leaves the previous release working', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let runner: QueryRunner;

  beforeAll(async () => {
    database = await createTestDatabase();
    const options = { url: database.url, poolSize: 2, applicationName: 'test', entities: [] };
    dataSource = await new DataSource(dataSourceOptions(options)).initialize();
    runner = dataSource.createQueryRunner();
    // The template has all of them.
    await runner.query('DROP SCHEMA public CASCADE');
    await runner.query('CREATE SCHEMA public');
  });
  afterAll(async () => {
    await runner.release();
    await dataSource.destroy();
    await database.drop();
  });

  async function schema(): Promise<Schema> {
    const columns: Column[] = await runner.query(
      `SELECT c.table_name AS "table", c.column_name AS "column",
         c.udt_name || coalesce('(' || c.character_maximum_length || ')', '') || coalesce('(' || c.datetime_precision || ')', '') AS type,
         c.is_nullable = 'NO' AS "isRequired", c.column_default IS NOT NULL OR c.is_identity = 'YES' AS "hasDefault"
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'`,
    );
    const rules: Rule[] = await runner.query(
      `SELECT conrelid::regclass::text AS "table", pg_get_constraintdef(oid) AS text, ARRAY(
         SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u', 'f', 'p', 'x')
       UNION
       SELECT indrelid::regclass::text, 'UNIQUE ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''), ARRAY(
         SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey::int2[]))
       FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
       WHERE indisunique AND relnamespace = 'public'::regnamespace
       UNION
       SELECT tgrelid::regclass::text, pg_get_triggerdef(pg_trigger.oid), '{}'
       FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
       WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace`,
    );
    return {
      columns: new Map(columns.map((column) => [`${column.table}.${column.column}`, column])),
      rules: new Map(rules.map((rule) => [`${rule.table}: ${rule.text}`, rule])),
    };
  }

  it.each(migrations.map((migration, index) => [migration.name, index] as const))('%s', async (name, index) => {
    const before = await schema();
    const Migration = migrations[index]!;
    await new Migration().up(runner);
    if (index === 0) return;
    expect(problems(before, await schema()).filter((problem) => !(`${name}: ${problem}` in ALLOWED))).toEqual([]);
  });

  it('reports what an older release would stumble over', async () => {
    await runner.query('CREATE TABLE sample (id integer PRIMARY KEY, gone text, changed integer, stricter text)');
    const before = await schema();
    await runner.query(`ALTER TABLE sample DROP COLUMN gone, ALTER COLUMN changed TYPE text, ALTER COLUMN stricter SET NOT NULL,
      ADD COLUMN required text NOT NULL, ADD COLUMN defaulted text NOT NULL DEFAULT '', ADD COLUMN optional text,
      ADD CHECK (stricter <> ''), ADD UNIQUE (changed),
      ADD CHECK (optional <> ''), ADD UNIQUE (optional), ADD UNIQUE (defaulted)`);
    await runner.query('CREATE TABLE other (id integer PRIMARY KEY, required text NOT NULL UNIQUE)');
    expect(problems(before, await schema()).sort()).toEqual([
      "a new rule: sample: CHECK ((stricter <> ''::text))",
      'a new rule: sample: UNIQUE (changed)',
      'a new rule: sample: UNIQUE (defaulted)',
      'a new rule: sample: UNIQUE btree (changed)',
      'a new rule: sample: UNIQUE btree (defaulted)',
      'sample.changed was int4 and is text',
      'sample.gone is gone',
      'sample.required is new, required and without a default',
      'sample.stricter became required',
    ]);
    await runner.query('DROP TABLE sample, other');
  });

  it('every exception is still needed', () => {
    const names = migrations.map(({ name }) => name);
    expect(Object.keys(ALLOWED).filter((key) => !names.includes(key.split(':')[0] ?? ''))).toEqual([]);
  });
});

function problems(before: Schema, after: Schema): string[] {
  const found: string[] = [];
  for (const [name, old] of before.columns) {
    const now = after.columns.get(name);
    if (!now) found.push(`${name} is gone`);
    else if (now.type !== old.type) found.push(`${name} was ${old.type} and is ${now.type}`);
    else if (now.isRequired && !old.isRequired) found.push(`${name} became required`);
    else if (now.isRequired && old.hasDefault && !now.hasDefault) found.push(`${name} lost its default`);
  }
  const oldTables = new Set([...before.columns.values()].map(({ table }) => table));
  for (const [name, now] of after.columns) {
    if (before.columns.has(name) || !oldTables.has(now.table)) continue;
    if (now.isRequired && !now.hasDefault) found.push(`${name} is new, required and without a default`);
  }
  for (const [text, { table, columns }] of after.rules) {
    if (before.rules.has(text) || !oldTables.has(table)) continue;
    // An older release leaves new columns as they are by themselves; for one that is unique that is nothing.
    const isOfNew = columns.length > 0 && columns.every((column) => !before.columns.has(`${table}.${column}`));
    const isUnique = /^(UNIQUE|PRIMARY)/.test(after.rules.get(text)?.text ?? '');
    const areEmpty = columns.every((column) => !after.columns.get(`${table}.${column}`)?.hasDefault);
    if (!isOfNew || (isUnique && !areEmpty)) found.push(`a new rule: ${text}`);
  }
  return found;
}
