import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often each provider project may still be asked. Only adds: older controllers ask without it. */
export class ProviderBudgets1764400000000 implements MigrationInterface {
  readonly name = 'ProviderBudgets1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE provider_budgets (
        provider_type text NOT NULL,
        project text NOT NULL,
        hour_limit integer NOT NULL,
        hour_left double precision NOT NULL,
        minute_left double precision NOT NULL,
        key_lists_left double precision NOT NULL,
        refilled_at timestamp with time zone NOT NULL,
        told_at timestamp with time zone,
        admitted bigint NOT NULL DEFAULT 0,
        in_flight bigint[] NOT NULL DEFAULT '{}',
        blocked_until timestamp with time zone,
        failures integer NOT NULL DEFAULT 0,
        failed_server text,
        open_since timestamp with time zone,
        retry_at timestamp with time zone,
        probe bigint,
        CONSTRAINT provider_budgets_pkey PRIMARY KEY (provider_type, project)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE provider_budgets`);
  }
}
