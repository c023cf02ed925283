import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the sweep remembers: its rounds, servers without a row, keys that nothing uses; and the health `lost`. Only adds:
 * older controllers neither write nor read any of it.
 */
export class Sweep1764500000000 implements MigrationInterface {
  readonly name = 'Sweep1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE provider_sweeps (
        provider_type text NOT NULL,
        run_id uuid,
        started_at timestamp(3) with time zone,
        completed_at timestamp(3) with time zone,
        covered_until timestamp(3) with time zone,
        servers integer,
        last_error text,
        sentinel_id text,
        database_fingerprint text,
        pause_reason text,
        pause_message text,
        paused_at timestamp(3) with time zone,
        resumed_at timestamp(3) with time zone,
        keys_checked_at timestamp(3) with time zone,
        CONSTRAINT provider_sweeps_pkey PRIMARY KEY (provider_type)
      )`);
    await runner.query(`
      CREATE TABLE orphan_servers (
        provider_type text NOT NULL,
        server_id text NOT NULL,
        kind text NOT NULL,
        name text NOT NULL,
        server_type text NOT NULL,
        location text NOT NULL,
        image text,
        status text NOT NULL,
        public_ipv4 text,
        public_ipv6 text,
        private_ipv4 text,
        provisioning_id text NOT NULL,
        attempt integer NOT NULL,
        server_created_at timestamp(3) with time zone NOT NULL,
        first_seen_at timestamp(3) with time zone NOT NULL,
        last_seen_at timestamp(3) with time zone NOT NULL,
        monthly_cost double precision,
        currency text,
        CONSTRAINT orphan_servers_pkey PRIMARY KEY (provider_type, server_id),
        CONSTRAINT orphan_servers_kind_check CHECK (kind IN ('unknown', 'surplus', 'abandoned'))
      )`);
    await runner.query(`
      CREATE TABLE unused_keys (
        provider_type text NOT NULL,
        key_id text NOT NULL,
        name text NOT NULL,
        unused_since timestamp(3) with time zone NOT NULL,
        CONSTRAINT unused_keys_pkey PRIMARY KEY (provider_type, key_id)
      )`);
    await runner.query(`
      ALTER TABLE provisioning_tombstones ADD COLUMN server_seen_at timestamp(3) with time zone`);
    await runner.query(`
      ALTER TABLE clients
        DROP CONSTRAINT clients_health_check,
        ADD CONSTRAINT clients_health_check CHECK (health IN ('healthy', 'unreachable', 'credentials-refused', 'lost'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE clients SET health = NULL, health_since = NULL, health_checked_at = NULL, health_failing_since = NULL
      WHERE health = 'lost'`);
    await runner.query(`
      ALTER TABLE clients
        DROP CONSTRAINT clients_health_check,
        ADD CONSTRAINT clients_health_check CHECK (health IN ('healthy', 'unreachable', 'credentials-refused'))`);
    await runner.query(`ALTER TABLE provisioning_tombstones DROP COLUMN server_seen_at`);
    await runner.query(`DROP TABLE unused_keys`);
    await runner.query(`DROP TABLE orphan_servers`);
    await runner.query(`DROP TABLE provider_sweeps`);
  }
}
