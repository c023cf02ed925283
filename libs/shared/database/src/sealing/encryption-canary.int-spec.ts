import { SecretBox } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../data-source.options';
import { createTestDatabase, insertSealed, MANY, type TestDatabase } from '../testing';
import { EncryptionCanaryService } from './encryption-canary.service';
import { WrongEncryptionKeysError } from './wrong-encryption-keys.error';

describe('EncryptionCanaryService', () => {
  const [key, other] = [randomBytes(32), randomBytes(32)];
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    const options = { url: database.url, poolSize: 5, applicationName: 'test', entities: [] };
    dataSource = await new DataSource(dataSourceOptions(options)).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  beforeEach(() => dataSource.query('TRUNCATE encryption_canary, clients CASCADE'));

  const canary = (...keys: Buffer[]) => new EncryptionCanaryService(dataSource, new SecretBox(keys));
  const rows = () => dataSource.query<{ sealed_secret: string }[]>('SELECT * FROM encryption_canary');
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => Promise.reject(new Error('It was not refused')),
      (error: unknown) => error,
    );

  it('is made once, whoever is first, and tells all the same secret', async () => {
    const secrets = await Promise.all(Array.from({ length: 10 }, () => canary(key).secret()));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(1);
    expect(secrets[0]).toHaveLength(32);
    expect(await rows()).toHaveLength(1);
    expect((await rows())[0]?.sealed_secret).toMatch(/^v1\.[0-9a-f]{8}\./);
  });

  it('opens by a key that is not the first', async () => {
    const secret = await canary(key).secret();
    await canary(other, key).check();
    expect((await canary(other, key).secret()).equals(secret)).toBe(true);
  });

  it('refuses keys of another database, names variable, ids and the way out, and writes nothing', async () => {
    await canary(key).secret();
    const before = await rows();
    for (const work of [canary(other).check(), canary(other).secret()]) {
      const error = (await refusal(work)) as Error;
      expect(error).toBeInstanceOf(WrongEncryptionKeysError);
      const [given, needed] = [other, key].map((each) => new SecretBox([each]).sealingKeyId);
      expect(error.message).toContain('ENCRYPTION_KEYS does not fit this database');
      expect(error.message).toContain(`sealed with the key ${needed}`);
      expect(error.message).toContain(`ids ${given}.`);
      expect(error.message).toContain('Put the missing key back');
      for (const each of [key, other]) expect(error.message).not.toContain(each.toString('base64').slice(0, 10));
    }
    expect(await rows()).toEqual(before);
  });

  it('refuses a canary that was altered, or is another installation’s', async () => {
    await canary(key).secret();
    await dataSource.query(`UPDATE encryption_canary SET sealed_secret = left(sealed_secret, -4) || 'AAAA'`);
    expect(await refusal(canary(key).check())).toBeInstanceOf(WrongEncryptionKeysError);
  });

  it('without a canary: refuses when none of the keys opens what is there, and makes none', async () => {
    await insertSealed(dataSource, new SecretBox([key]), MANY[0]!, ['a secret']);
    for (const work of [canary(other).check(), canary(other).secret()]) {
      expect(await refusal(work)).toBeInstanceOf(WrongEncryptionKeysError);
    }
    expect(await rows()).toEqual([]);
    await canary(other, key).check();
    await canary(other, key).secret();
    expect(await rows()).toHaveLength(1);
  });

  it('looks at a database without any table, and leaves it so', async () => {
    const runner = dataSource.createQueryRunner();
    await runner.query('CREATE SCHEMA bare');
    await runner.query('SET search_path TO bare');
    const bare = { query: runner.query.bind(runner) } as unknown as DataSource;
    await new EncryptionCanaryService(bare, new SecretBox([key])).check();
    await runner.query('RESET search_path');
    await runner.query('DROP SCHEMA bare');
    await runner.release();
  });
});
