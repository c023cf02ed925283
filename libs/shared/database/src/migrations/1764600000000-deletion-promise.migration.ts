import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Protection of clients, and the record of servers that were given up. Only adds: older controllers go on beside it,
 * but do not know of any protection.
 */
export class DeletionPromise1764600000000 implements MigrationInterface {
  readonly name = 'DeletionPromise1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE clients ADD COLUMN is_protected boolean NOT NULL DEFAULT false`);
    await runner.query(`
      CREATE TABLE abandoned_servers (
        provisioning_id uuid NOT NULL,
        client_id uuid NOT NULL,
        client_name text NOT NULL,
        owner text NOT NULL,
        provider_type text NOT NULL,
        server_id text,
        server_name text,
        public_ip text,
        private_ip text,
        server_type text NOT NULL,
        location text NOT NULL,
        attempt integer NOT NULL,
        phase text NOT NULL,
        monthly_cost double precision,
        currency text,
        sentinel_id text,
        reason text NOT NULL,
        abandoned_by text NOT NULL,
        abandoned_at timestamp(3) with time zone NOT NULL,
        CONSTRAINT abandoned_servers_pkey PRIMARY KEY (provisioning_id, abandoned_at)
      )`);
    await runner.query(`CREATE INDEX abandoned_servers_client_id_idx ON abandoned_servers (client_id)`);
    await runner.query(`CREATE INDEX abandoned_servers_owner_at_idx ON abandoned_servers (owner, abandoned_at)`);
    await runner.query(`
      CREATE INDEX abandoned_servers_server_idx ON abandoned_servers (provider_type, server_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE abandoned_servers`);
    await runner.query(`ALTER TABLE clients DROP COLUMN is_protected`);
  }
}
