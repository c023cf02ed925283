import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace that a provisioning's steps belong to, where traces are kept. */
export class TraceParent1764940000000 implements MigrationInterface {
  readonly name = 'TraceParent1764940000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provisioning_references ADD COLUMN trace_parent text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE provisioning_references DROP COLUMN trace_parent');
  }
}
