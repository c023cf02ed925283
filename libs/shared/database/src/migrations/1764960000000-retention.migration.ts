import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The one way by which entries of the audit trail may go: by age, oldest first, with an entry that says so. Only adds: older
 * controllers remove nothing.
 */
export class Retention1764960000000 implements MigrationInterface {
  readonly name = 'Retention1764960000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      appendOnly(`IF TG_OP = 'DELETE' AND current_setting('agent_controller.audit_removal', true) = 'by age' THEN
          RETURN NULL;
        END IF;`),
    );
    // Whatever the setting says, and whoever has set it.
    await runner.query(`
      CREATE FUNCTION audit_log_keeps_a_month() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.at < now() - interval '30 days' THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'audit_log keeps every entry for 30 days' USING ERRCODE = 'insufficient_privilege';
      END $$`);
    await runner.query(`
      CREATE TRIGGER audit_log_keeps_a_month BEFORE DELETE ON audit_log
        FOR EACH ROW EXECUTE FUNCTION audit_log_keeps_a_month()`);
    // Ids are given in the order of time: the oldest are found without an index on it.
    await runner.query(`
      CREATE FUNCTION audit_log_remove_before(before timestamptz, batch integer) RETURNS integer LANGUAGE plpgsql AS $$
      DECLARE removed integer;
      BEGIN
        -- One controller at a time. It ends with the transaction.
        IF NOT pg_try_advisory_xact_lock(hashtext('audit_log_remove_before')) THEN RETURN 0; END IF;
        PERFORM set_config('agent_controller.audit_removal', 'by age', true);
        DELETE FROM audit_log WHERE id = ANY (ARRAY(
          SELECT id FROM (SELECT id, at FROM audit_log ORDER BY id LIMIT batch) AS oldest
          WHERE oldest.at < least(before, now() - interval '30 days')));
        GET DIAGNOSTICS removed = ROW_COUNT;
        PERFORM set_config('agent_controller.audit_removal', '', true);
        IF removed > 0 THEN
          INSERT INTO audit_log (at, subject, action, address, status, count)
          VALUES (now(), 'housekeeping', 'removal of entries before ' || to_char(before AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '', 200, removed);
        END IF;
        RETURN removed;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION audit_log_remove_before`);
    await runner.query(`DROP TRIGGER audit_log_keeps_a_month ON audit_log`);
    await runner.query(`DROP FUNCTION audit_log_keeps_a_month`);
    await runner.query(appendOnly(''));
  }
}

function appendOnly(exception: string): string {
  return `
      CREATE OR REPLACE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        ${exception}
        RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$`;
}
