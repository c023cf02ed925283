import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What servers report of themselves, the hash of the token with which they do, and the pauses before a phase. */
export class ServerReports1764200000000 implements MigrationInterface {
  readonly name = 'ServerReports1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE provisioning_references
        ADD COLUMN report jsonb,
        ADD COLUMN callback_token_hash text,
        ADD COLUMN paused_ms_before_phase integer NOT NULL DEFAULT 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE provisioning_references
        DROP COLUMN report,
        DROP COLUMN callback_token_hash,
        DROP COLUMN paused_ms_before_phase`);
  }
}
