import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which awaited agent-managers are due for a look. Only adds: older controllers go on beside it. */
export class Watch1764950000000 implements MigrationInterface {
  readonly name = 'Watch1764950000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX provisioning_references_watch_due_at_idx ON provisioning_references (health_due_at)
        WHERE phase IN ('installing', 'starting') AND intent = 'present'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX provisioning_references_watch_due_at_idx`);
  }
}
