import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What callers' idempotency keys stand for. Only adds: older controllers do not look at it. */
export class IdempotencyKeys1764300000000 implements MigrationInterface {
  readonly name = 'IdempotencyKeys1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_keys (
        owner text NOT NULL,
        key text NOT NULL,
        request_hmac text NOT NULL,
        client_id uuid NOT NULL,
        expires_at timestamp(3) with time zone NOT NULL,
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (owner, key)
      )`);
    await runner.query(`CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE idempotency_keys`);
  }
}
