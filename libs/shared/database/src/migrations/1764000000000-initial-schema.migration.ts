import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Clients, provisionings with their log and tombstones, this installation's identity, and the controllers that run. */
export class InitialSchema1764000000000 implements MigrationInterface {
  readonly name = 'InitialSchema1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE clients (
        id uuid NOT NULL,
        owner text NOT NULL,
        name text NOT NULL,
        description text,
        endpoint text,
        agent_ws_port integer NOT NULL,
        authentication_type text NOT NULL,
        is_auto_provisioned boolean NOT NULL,
        sealed_credentials text,
        tls_certificate_pem text,
        tls_spki_sha256 text,
        tls_server_name text,
        agent_config jsonb,
        created_at timestamp(3) with time zone NOT NULL DEFAULT now(),
        updated_at timestamp(3) with time zone NOT NULL DEFAULT now(),
        CONSTRAINT clients_pkey PRIMARY KEY (id),
        CONSTRAINT clients_owner_name_key UNIQUE (owner, name)
      )`);
    await runner.query(`CREATE INDEX clients_owner_created_at_id_idx ON clients (owner, created_at, id)`);
    await runner.query(`
      CREATE TABLE provisioning_references (
        id uuid NOT NULL,
        client_id uuid NOT NULL,
        provider_type text NOT NULL,
        server_type text NOT NULL,
        location text NOT NULL,
        image text NOT NULL,
        server_id text,
        server_name text,
        server_created_at timestamp(3) with time zone,
        public_ip text,
        private_ip text,
        server_status text,
        observed_at timestamp(3) with time zone,
        missing_since timestamp(3) with time zone,
        provider_metadata jsonb NOT NULL DEFAULT '{}',
        sentinel_id text,
        create_requested_at timestamp(3) with time zone,
        destroy_requested_at timestamp(3) with time zone,
        monthly_cost double precision,
        currency text,
        intent text NOT NULL DEFAULT 'present',
        phase text NOT NULL,
        phase_since timestamp(3) with time zone NOT NULL,
        phase_times jsonb NOT NULL DEFAULT '{}',
        attempt integer NOT NULL DEFAULT 1,
        attempt_since timestamp(3) with time zone NOT NULL,
        paused_ms integer NOT NULL DEFAULT 0,
        paused_since timestamp(3) with time zone,
        consecutive_errors integer NOT NULL DEFAULT 0,
        last_error jsonb,
        last_seen text,
        warnings jsonb NOT NULL DEFAULT '[]',
        version integer NOT NULL DEFAULT 1,
        lease_owner text,
        lease_until timestamp(3) with time zone,
        nudges integer NOT NULL DEFAULT 0,
        last_event_seq integer NOT NULL DEFAULT 0,
        configuration jsonb NOT NULL,
        sealed_secrets text,
        is_key_withheld boolean NOT NULL DEFAULT false,
        created_at timestamp(3) with time zone NOT NULL DEFAULT now(),
        updated_at timestamp(3) with time zone NOT NULL DEFAULT now(),
        CONSTRAINT provisioning_references_pkey PRIMARY KEY (id),
        -- TypeORM's own name for the uniqueness of a one-to-one relation.
        CONSTRAINT "REL_e78480f5ae60c7fdd99d726f67" UNIQUE (client_id),
        CONSTRAINT provisioning_references_intent_check CHECK (intent IN ('present', 'absent')),
        CONSTRAINT provisioning_references_client_id_fkey
          FOREIGN KEY (client_id) REFERENCES clients (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE INDEX provisioning_references_phase_idx ON provisioning_references (phase, provider_type)`);
    await runner.query(`
      CREATE UNIQUE INDEX provisioning_references_server_key ON provisioning_references (provider_type, server_id)
        WHERE server_id IS NOT NULL`);
    // The log has no foreign key: it outlives the rows.
    await runner.query(`
      CREATE TABLE provisioning_events (
        provisioning_id uuid NOT NULL,
        seq integer NOT NULL,
        client_id uuid NOT NULL,
        at timestamp(3) with time zone NOT NULL,
        type text NOT NULL,
        phase text NOT NULL,
        attempt integer NOT NULL,
        message text NOT NULL,
        data jsonb,
        expires_at timestamp(3) with time zone,
        CONSTRAINT provisioning_events_pkey PRIMARY KEY (provisioning_id, seq)
      )`);
    await runner.query(`CREATE INDEX provisioning_events_client_id_seq_idx ON provisioning_events (client_id, seq)`);
    await runner.query(`
      CREATE INDEX provisioning_events_expires_at_idx ON provisioning_events (expires_at)
        WHERE expires_at IS NOT NULL`);
    await runner.query(`
      CREATE TABLE provisioning_tombstones (
        provisioning_id uuid NOT NULL,
        client_id uuid NOT NULL,
        owner text NOT NULL,
        provider_type text NOT NULL,
        server_id text,
        attempt integer NOT NULL,
        deleted_at timestamp(3) with time zone NOT NULL,
        expires_at timestamp(3) with time zone NOT NULL,
        CONSTRAINT provisioning_tombstones_pkey PRIMARY KEY (provisioning_id)
      )`);
    await runner.query(`CREATE INDEX provisioning_tombstones_client_id_idx ON provisioning_tombstones (client_id)`);
    await runner.query(`CREATE INDEX provisioning_tombstones_expires_at_idx ON provisioning_tombstones (expires_at)`);
    await runner.query(`
      CREATE TABLE instance (
        singleton boolean NOT NULL DEFAULT true,
        instance_id uuid NOT NULL,
        project_public_key text NOT NULL,
        created_at timestamp(3) with time zone NOT NULL,
        CONSTRAINT instance_pkey PRIMARY KEY (singleton),
        CONSTRAINT instance_singleton_check CHECK (singleton)
      )`);
    await runner.query(`
      CREATE TABLE controller_heartbeats (
        worker_id text NOT NULL,
        seen_at timestamp(3) with time zone NOT NULL,
        CONSTRAINT controller_heartbeats_pkey PRIMARY KEY (worker_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = [
      'controller_heartbeats',
      'instance',
      'provisioning_tombstones',
      'provisioning_events',
      'provisioning_references',
      'clients',
    ];
    for (const table of tables) await runner.query(`DROP TABLE ${table}`);
  }
}
