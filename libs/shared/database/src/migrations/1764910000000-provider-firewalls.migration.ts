import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Firewalls before servers, and which one an order named. Only adds: older controllers order without. */
export class ProviderFirewalls1764910000000 implements MigrationInterface {
  readonly name = 'ProviderFirewalls1764910000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE provider_firewalls (
        provider_type text NOT NULL,
        name text NOT NULL,
        inbound jsonb NOT NULL,
        key text,
        sentinel_id text,
        checked_at timestamp(3) with time zone,
        used_at timestamp(3) with time zone NOT NULL,
        removing_since timestamp(3) with time zone,
        CONSTRAINT provider_firewalls_pkey PRIMARY KEY (provider_type, name)
      )`);
    await runner.query(`ALTER TABLE provisioning_references ADD COLUMN firewall_name text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE provisioning_references DROP COLUMN firewall_name`);
    await runner.query(`DROP TABLE provider_firewalls`);
  }
}
