import { placeIn, SEALED_COLUMNS, SecretBox, sealedKeyId, type SealedColumn } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../data-source.options';
import { createTestDatabase, getSealed, insertSealed, MANY, setSealed, type TestDatabase } from '../testing';
import { EncryptionCanaryService } from './encryption-canary.service';
import { KeyRotation } from './key-rotation';
import { SealedValues, type StoredValue } from './sealed-values';

const TEXTS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
const BATCH = 2;

describe('KeyRotation', () => {
  const [older, newer, unknown] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const [before, during, after] = [new SecretBox([older]), new SecretBox([newer, older]), new SecretBox([newer])];
  let database: TestDatabase;
  let dataSource: DataSource;
  let ids: Map<SealedColumn, string[]>;

  beforeAll(async () => {
    database = await createTestDatabase();
    const options = { url: database.url, poolSize: 2, applicationName: 'test', entities: [] };
    dataSource = await new DataSource(dataSourceOptions(options)).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    await dataSource.query('TRUNCATE encryption_canary, clients CASCADE');
    ids = new Map();
    for (const column of MANY) ids.set(column, await insertSealed(dataSource, before, column, TEXTS));
  });

  const rotation = (values = new SealedValues(dataSource)) => new KeyRotation(values, during, BATCH);
  const idsOf = (column: SealedColumn) => ids.get(column) ?? [];
  const opened = async (column: SealedColumn, box: SecretBox) =>
    Promise.all(
      idsOf(column).map(async (id) => box.open(await getSealed(dataSource, column, id), placeIn(column, id))),
    );

  /** Does something each time before values are replaced. */
  class Disturbed extends SealedValues {
    constructor(private readonly disturb: (column: SealedColumn, values: readonly StoredValue[]) => Promise<void>) {
      super(dataSource);
    }

    override async replace(column: SealedColumn, values: readonly (StoredValue & { anew: string })[]) {
      await this.disturb(column, values);
      return super.replace(column, values);
    }
  }

  it('seals every value of every column anew, the canary too, and changes nothing else', async () => {
    const secret = await new EncryptionCanaryService(dataSource, before).secret();
    const versions = await dataSource.query('SELECT id, version, updated_at FROM provisioning_references ORDER BY id');
    const report = await rotation().run();
    expect(report).toMatchObject({ keyId: after.sealingKeyId, unopened: [] });
    expect(report.columns.map(({ table, resealed, left }) => [table, resealed, left])).toEqual(
      SEALED_COLUMNS.map(({ table }) => [table, table === 'encryption_canary' ? 1 : TEXTS.length, 0]),
    );
    for (const column of MANY) expect(await opened(column, after)).toEqual(TEXTS);
    expect((await new EncryptionCanaryService(dataSource, after).secret()).equals(secret)).toBe(true);
    expect(await dataSource.query('SELECT id, version, updated_at FROM provisioning_references ORDER BY id')).toEqual(
      versions,
    );
    expect((await rotation().run()).columns.map(({ resealed }) => resealed)).toEqual([0, 0, 0]);
  });

  it('goes on with the rest after it was killed', async () => {
    let calls = 0;
    const dying = new Disturbed(async () => {
      if (++calls === 3) throw new Error('killed');
    });
    await expect(rotation(dying).run()).rejects.toThrow('killed');
    const counts = await new SealedValues(dataSource).counts();
    expect(counts.find(({ keyId }) => keyId === after.sealingKeyId)?.count).toBe(2 * BATCH);
    expect((await rotation().run()).columns.map(({ resealed, left }) => [resealed, left])).toEqual([
      [0, 0],
      [TEXTS.length - 2 * BATCH, 0],
      [TEXTS.length, 0],
    ]);
    for (const column of MANY) expect(await opened(column, after)).toEqual(TEXTS);
  });

  it.each(MANY)('leaves what others wrote, wiped or deleted meanwhile: $table', async (column) => {
    const [written = '', wiped = '', deleted = ''] = idsOf(column);
    let isDone = false;
    const values = new Disturbed(async (of) => {
      if (of !== column || isDone) return;
      isDone = true;
      // By a controller that has the same keys, and by one that was not started anew yet.
      await setSealed(dataSource, column, written, before.seal('written', placeIn(column, written)));
      await setSealed(dataSource, column, wiped, null);
      await dataSource.query(`DELETE FROM ${column.table} WHERE id = $1`, [deleted]);
    });
    const report = await rotation(values).run();
    const mine = report.columns.find(({ table }) => table === column.table);
    // The first batch had the two that changed; the third was in the next one. The next pass found what was written.
    expect(mine).toMatchObject({ changedMeanwhile: 2, left: 0, resealed: TEXTS.length - 2 });
    expect(after.open(await getSealed(dataSource, column, written), placeIn(column, written))).toBe('written');
    expect(await getSealed(dataSource, column, wiped)).toBeNull();
  });

  it.each(MANY)('names what cannot be opened, and seals all the rest anew: $table', async (column) => {
    const [stranger = '', moved = '', from = '', broken = ''] = idsOf(column);
    const [elsewhere] = MANY.filter((each) => each !== column);
    await setSealed(dataSource, column, stranger, new SecretBox([unknown]).seal('x', placeIn(column, stranger)));
    await setSealed(dataSource, column, moved, await getSealed(dataSource, column, from));
    await setSealed(dataSource, column, broken, before.seal('x', placeIn(elsewhere!, broken)));
    const { columns, unopened } = await rotation().run();
    expect(columns.find(({ table }) => table === column.table)).toMatchObject({ resealed: TEXTS.length - 3, left: 3 });
    const { sealingKeyId } = new SecretBox([unknown]);
    expect(unopened.map(({ table, rowId, keyId }) => [table, rowId, keyId]).sort()).toEqual(
      [
        [column.table, stranger, sealingKeyId],
        [column.table, moved, before.sealingKeyId],
        [column.table, broken, before.sealingKeyId],
      ].sort(),
    );
    expect(unopened.map(({ message }) => message).join()).toContain(`row ${moved} does not open`);
    // What was moved is not made good by sealing it anew.
    expect(sealedKeyId(await getSealed(dataSource, column, moved))).toBe(before.sealingKeyId);
  });

  it('knows every sealed column of the schema', async () => {
    const found = await dataSource.query<{ place: string }[]>(
      `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name LIKE '%sealed%' ORDER BY 1`,
    );
    expect(found.map(({ place }) => place)).toEqual(
      SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort(),
    );
  });
});
