import type { MigrationInterface, QueryRunner } from 'typeorm';

/** With which token a server may fetch its secret files, who did so first, and when last. */
export class BootstrapRedemption1764820000000 implements MigrationInterface {
  readonly name = 'BootstrapRedemption1764820000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE provisioning_references
        ADD COLUMN bootstrap_token_hash text,
        ADD COLUMN bootstrap_key text,
        ADD COLUMN bootstrap_sent_at timestamptz(3)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE provisioning_references
        DROP COLUMN bootstrap_token_hash,
        DROP COLUMN bootstrap_key,
        DROP COLUMN bootstrap_sent_at`);
  }
}
