import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is seen of agent-managers after ready, and when to look again. Only adds: older controllers go on beside it. */
export class AgentHealth1764100000000 implements MigrationInterface {
  readonly name = 'AgentHealth1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE clients
        ADD COLUMN health text,
        ADD COLUMN health_since timestamp(3) with time zone,
        ADD COLUMN health_checked_at timestamp(3) with time zone,
        ADD COLUMN health_failing_since timestamp(3) with time zone,
        ADD CONSTRAINT clients_health_check CHECK (health IN ('healthy', 'unreachable', 'credentials-refused'))`);
    // Null is due at once: what is ready now, and what older controllers make ready meanwhile.
    await runner.query(`
      ALTER TABLE provisioning_references ADD COLUMN health_due_at timestamp(3) with time zone`);
    await runner.query(`
      CREATE INDEX provisioning_references_health_due_at_idx ON provisioning_references (health_due_at)
        WHERE phase = 'ready' AND intent = 'present'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX provisioning_references_health_due_at_idx`);
    await runner.query(`ALTER TABLE provisioning_references DROP COLUMN health_due_at`);
    await runner.query(`
      ALTER TABLE clients
        DROP CONSTRAINT clients_health_check,
        DROP COLUMN health,
        DROP COLUMN health_since,
        DROP COLUMN health_checked_at,
        DROP COLUMN health_failing_since`);
  }
}
