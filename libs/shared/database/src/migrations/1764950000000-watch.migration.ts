import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For what waits: no question reads a large table as a whole. Only adds: older controllers go on beside it. */
export class Watch1764950000000 implements MigrationInterface {
  readonly name = 'Watch1764950000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX provisioning_references_watch_due_at_idx ON provisioning_references (health_due_at)
        WHERE phase IN ('installing', 'starting') AND intent = 'present'`);
    await runner.query(`
      CREATE INDEX provisioning_references_unfinished_idx ON provisioning_references (id)
        WHERE phase NOT IN ('ready', 'failed') OR (phase = 'ready' AND intent = 'absent')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX provisioning_references_unfinished_idx`);
    await runner.query(`DROP INDEX provisioning_references_watch_due_at_idx`);
  }
}
