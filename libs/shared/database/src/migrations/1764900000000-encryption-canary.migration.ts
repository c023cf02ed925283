import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which keys belong to this database, the secret that outlives them, and requests that are known by it. */
export class EncryptionCanary1764900000000 implements MigrationInterface {
  readonly name = 'EncryptionCanary1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE encryption_canary (
        singleton boolean NOT NULL DEFAULT true,
        sealed_secret text NOT NULL,
        CONSTRAINT encryption_canary_pkey PRIMARY KEY (singleton),
        CONSTRAINT encryption_canary_singleton_check CHECK (singleton)
      )`);
    await runner.query('ALTER TABLE idempotency_keys ADD COLUMN lasting_hmac text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_keys DROP COLUMN lasting_hmac');
    await runner.query('DROP TABLE encryption_canary');
  }
}
