import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit trail, and the counts of rate limits. Only adds: older controllers look at neither. */
export class Access1764800000000 implements MigrationInterface {
  readonly name = 'Access1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    // No foreign key: entries outlive the clients.
    await runner.query(`
      CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        at timestamp(3) with time zone NOT NULL,
        subject text,
        role text,
        action text NOT NULL,
        client_id uuid,
        client_name text,
        address text NOT NULL,
        status integer NOT NULL,
        code text,
        request_id text,
        count integer NOT NULL DEFAULT 1,
        CONSTRAINT audit_log_pkey PRIMARY KEY (id)
      )`);
    await runner.query(`CREATE INDEX audit_log_client_id_id_idx ON audit_log (client_id, id)`);
    await runner.query(`CREATE INDEX audit_log_subject_id_idx ON audit_log (subject, id)`);
    // The controller is the table's owner, so that revoked rights would not bind it: a trigger does.
    await runner.query(`
      CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$`);
    await runner.query(`
      CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()`);
    // Unlogged: it is written all the time, and of no worth after a minute.
    await runner.query(`
      CREATE UNLOGGED TABLE rate_counts (
        key text NOT NULL,
        window_start timestamp(3) with time zone NOT NULL,
        count integer NOT NULL,
        CONSTRAINT rate_counts_pkey PRIMARY KEY (key)
      )`);
    await runner.query(`CREATE INDEX rate_counts_window_start_idx ON rate_counts (window_start)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE rate_counts`);
    await runner.query(`DROP TABLE audit_log`);
    await runner.query(`DROP FUNCTION audit_log_is_append_only`);
  }
}
