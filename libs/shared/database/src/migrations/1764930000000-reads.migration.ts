import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What all controllers know of the providers' catalogues together; and an index for the list of everybody's clients. */
export class Reads1764930000000 implements MigrationInterface {
  readonly name = 'Reads1764930000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE provider_offers (
        provider_type text NOT NULL,
        offer json,
        asked_at timestamp(3) with time zone,
        claimed_until timestamp(3) with time zone,
        CONSTRAINT provider_offers_pkey PRIMARY KEY (provider_type)
      )`);
    await runner.query(`CREATE INDEX clients_created_at_id_idx ON clients (created_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX clients_created_at_id_idx`);
    await runner.query(`DROP TABLE provider_offers`);
  }
}
