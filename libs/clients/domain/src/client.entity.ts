import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn, Unique, UpdateDateColumn } from 'typeorm';
import type { Health } from './client-health';

export type AuthenticationType = 'api_key' | 'keycloak';

/** What the agent-manager answered to `GET /api/config`. */
export interface AgentConfig {
  gitRepositoryUrl: string | null;
  agentTypes: string[];
}

/** An agent-manager that callers work with: provisioned by us, or registered by hand. */
@Entity('clients')
@Unique('clients_owner_name_key', ['owner', 'name'])
@Index('clients_owner_created_at_id_idx', ['owner', 'createdAt', 'id'])
@Index('clients_created_at_id_idx', ['createdAt', 'id'])
@Check('clients_health_check', `health IN ('healthy', 'unreachable', 'credentials-refused', 'lost')`)
export class Client {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'clients_pkey' })
  id!: string;

  /** Subject of the caller who made it. */
  @Column('text')
  owner!: string;

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  description!: string | null;

  /** Base URL of the agent-manager's REST API; null until it is known. */
  @Column('text', { nullable: true })
  endpoint!: string | null;

  @Column('integer', { name: 'agent_ws_port' })
  agentWsPort!: number;

  @Column('text', { name: 'authentication_type' })
  authenticationType!: AuthenticationType;

  @Column('boolean', { name: 'is_auto_provisioned' })
  isAutoProvisioned!: boolean;

  /** Refuses every deletion until it is taken back. */
  @Column('boolean', { name: 'is_protected', default: false })
  isProtected!: boolean;

  /** `AgentCredentials` as JSON, sealed by the repository; null when none were given. */
  @Column('text', { name: 'sealed_credentials', nullable: true })
  sealedCredentials!: string | null;

  @Column('text', { name: 'tls_certificate_pem', nullable: true })
  tlsCertificatePem!: string | null;

  @Column('text', { name: 'tls_spki_sha256', nullable: true })
  tlsSpkiSha256!: string | null;

  @Column('text', { name: 'tls_server_name', nullable: true })
  tlsServerName!: string | null;

  @Column('jsonb', { name: 'agent_config', nullable: true })
  agentConfig!: AgentConfig | null;

  // What is seen of an agent-manager that was provisioned here, from `ready` on; null of all others.

  @Column('text', { nullable: true })
  health!: Health | null;

  @Column({ type: 'timestamptz', name: 'health_since', precision: 3, nullable: true })
  healthSince!: Date | null;

  /** When the last look was over. */
  @Column({ type: 'timestamptz', name: 'health_checked_at', precision: 3, nullable: true })
  healthCheckedAt!: Date | null;

  /** When the first of the latest looks without a good answer was over; null after a good one. */
  @Column({ type: 'timestamptz', name: 'health_failing_since', precision: 3, nullable: true })
  healthFailingSince!: Date | null;

  // To the millisecond, so that a cursor made from a Date finds its place again.
  @CreateDateColumn({ type: 'timestamptz', precision: 3, name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3, name: 'updated_at' })
  updatedAt!: Date;
}
