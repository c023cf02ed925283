import type { ProviderType, ServerStatus } from '@agent-controller/cloud-port';
import { Client } from '@agent-controller/clients';
import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  OneToOne,
  PrimaryColumn,
  UpdateDateColumn,
} from 'typeorm';
import type { Intent, Phase } from './phases';
import type { ProvisioningConfiguration, ProvisioningFailure } from './provisioning.types';
import type { ServerReport } from './reports/server-report';

/**
 * One provisioning: what was asked for, what is billed, and where the work stands. The row is the truth; jobs only
 * wake. Its columns have five writers: a step that holds the lease (`version` moves), the observer (what the provider
 * says of the server: no version), callers (`intent`: no version), the server itself (`report` and `bootstrap_…`: no
 * version), and who
 * looks at agent-managers, before ready and after (`health_due_at`: no version).
 */
@Entity('provisioning_references')
@Index('provisioning_references_phase_idx', ['phase', 'providerType'])
@Index('provisioning_references_server_key', ['providerType', 'serverId'], {
  unique: true,
  where: 'server_id IS NOT NULL',
})
@Index('provisioning_references_health_due_at_idx', ['healthDueAt'], {
  where: `phase = 'ready' AND intent = 'present'`,
})
@Index('provisioning_references_unfinished_idx', ['id'], {
  where: `phase NOT IN ('ready', 'failed') OR (phase = 'ready' AND intent = 'absent')`,
})
@Index('provisioning_references_watch_due_at_idx', ['healthDueAt'], {
  where: `phase IN ('installing', 'starting') AND intent = 'present'`,
})
@Check('provisioning_references_intent_check', `intent IN ('present', 'absent')`)
export class ProvisioningReference {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'provisioning_references_pkey' })
  id!: string;

  @Column('uuid', { name: 'client_id' })
  clientId!: string;

  @OneToOne(() => Client, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'client_id', foreignKeyConstraintName: 'provisioning_references_client_id_fkey' })
  client?: Client;

  @Column('text', { name: 'provider_type' })
  providerType!: ProviderType;

  @Column('text', { name: 'server_type' })
  serverType!: string;

  @Column('text')
  location!: string;

  @Column('text')
  image!: string;

  // What is known of the server at the provider.

  @Column('text', { name: 'server_id', nullable: true })
  serverId!: string | null;

  @Column('text', { name: 'server_name', nullable: true })
  serverName!: string | null;

  @Column({ type: 'timestamptz', name: 'server_created_at', precision: 3, nullable: true })
  serverCreatedAt!: Date | null;

  @Column('text', { name: 'public_ip', nullable: true })
  publicIp!: string | null;

  @Column('text', { name: 'private_ip', nullable: true })
  privateIp!: string | null;

  @Column('text', { name: 'server_status', nullable: true })
  serverStatus!: ServerStatus | 'lost' | null;

  /** When the provider last answered about the server. */
  @Column({ type: 'timestamptz', name: 'observed_at', precision: 3, nullable: true })
  observedAt!: Date | null;

  /** When `get` first answered "not found" with no sight of the server since. */
  @Column({ type: 'timestamptz', name: 'missing_since', precision: 3, nullable: true })
  missingSince!: Date | null;

  /** Further facts from the provider, for people. */
  @Column('jsonb', { name: 'provider_metadata', default: {} })
  providerMetadata!: Record<string, string | null>;

  /** Id of our key in the provider's project: proof that the token still sees the project of this server. */
  @Column('text', { name: 'sentinel_id', nullable: true })
  sentinelId!: string | null;

  /** The firewall that the last create named; null where none did, such as before there were any. */
  @Column('text', { name: 'firewall_name', nullable: true })
  firewallName!: string | null;

  /** When a create was last about to be sent for this attempt: from then on a server may exist. */
  @Column({ type: 'timestamptz', name: 'create_requested_at', precision: 3, nullable: true })
  createRequestedAt!: Date | null;

  /** When the provider first accepted the server's deletion. */
  @Column({ type: 'timestamptz', name: 'destroy_requested_at', precision: 3, nullable: true })
  destroyRequestedAt!: Date | null;

  /** What the server and its address cost, as billed; null when the provider's price was not known. */
  @Column('double precision', { name: 'monthly_cost', nullable: true })
  monthlyCost!: number | null;

  @Column('text', { nullable: true })
  currency!: string | null;

  // Where the work stands.

  @Column('text', { default: 'present' })
  intent!: Intent;

  @Column('text')
  phase!: Phase;

  @Column({ type: 'timestamptz', name: 'phase_since', precision: 3 })
  phaseSince!: Date;

  /** When each phase of the present attempt began, ISO 8601. */
  @Column('jsonb', { name: 'phase_times', default: {} })
  phaseTimes!: Partial<Record<Phase, string>>;

  @Column('integer', { default: 1 })
  attempt!: number;

  @Column({ type: 'timestamptz', name: 'attempt_since', precision: 3 })
  attemptSince!: Date;

  /** How long of this attempt the provider could not be asked: the clock stood still. */
  @Column('integer', { name: 'paused_ms', default: 0 })
  pausedMs!: number;

  @Column({ type: 'timestamptz', name: 'paused_since', precision: 3, nullable: true })
  pausedSince!: Date | null;

  /** `pausedMs` as it was when the present phase began. */
  @Column('integer', { name: 'paused_ms_before_phase', default: 0 })
  pausedMsBeforePhase!: number;

  /** Errors in a row, for the back-off. */
  @Column('integer', { name: 'consecutive_errors', default: 0 })
  consecutiveErrors!: number;

  @Column('jsonb', { name: 'last_error', nullable: true })
  lastError!: ProvisioningFailure | null;

  /** What was last seen while waiting, for people; named when a time limit passes. */
  @Column('text', { name: 'last_seen', nullable: true })
  lastSeen!: string | null;

  /** What the server last said of its own set-up, in the present attempt. */
  @Column('jsonb', { nullable: true })
  report!: ServerReport | null;

  /** SHA-256 of the token with which the server may report, base64url; null when none may, or may any more. */
  @Column('text', { name: 'callback_token_hash', nullable: true })
  callbackTokenHash!: string | null;

  /**
   * SHA-256 of the attempt and its bootstrap token, base64url; null when nobody may fetch the server's secret files, or
   * may any more.
   */
  @Column('text', { name: 'bootstrap_token_hash', nullable: true })
  bootstrapTokenHash!: string | null;

  /** The public key of who fetched the secret files first, SubjectPublicKeyInfo in base64: nobody else gets them. */
  @Column('text', { name: 'bootstrap_key', nullable: true })
  bootstrapKey!: string | null;

  /** The time in the last request that was answered with them, by the server's clock. */
  @Column({ type: 'timestamptz', name: 'bootstrap_sent_at', precision: 3, nullable: true })
  bootstrapSentAt!: Date | null;

  /** Codes of what a caller should know though the agent is ready, such as `credentials-unverified`. */
  @Column('jsonb', { default: [] })
  warnings!: string[];

  /** When the agent-manager, ready or awaited, is to be looked at next; null: at once. */
  @Column({ type: 'timestamptz', name: 'health_due_at', precision: 3, nullable: true })
  healthDueAt!: Date | null;

  // Who may write.

  @Column('integer', { default: 1 })
  version!: number;

  @Column('text', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column({ type: 'timestamptz', name: 'lease_until', precision: 3, nullable: true })
  leaseUntil!: Date | null;

  /** Counts wake-ups, so that one that arrives while a step runs is not slept through. */
  @Column('integer', { default: 0 })
  nudges!: number;

  /** Number of the last event. */
  @Column('integer', { name: 'last_event_seq', default: 0 })
  lastEventSeq!: number;

  /** `traceparent` of the call that wanted what is being done, where traces are kept; steps go on with its trace. */
  @Column('text', { name: 'trace_parent', nullable: true })
  traceParent!: string | null;

  // What the server is made from.

  /** Not secret: stays, and `info` shows it. */
  @Column('jsonb')
  configuration!: ProvisioningConfiguration;

  /** `ProvisioningSecrets` as JSON, sealed; wiped at `ready` and some time after `failed`. */
  @Column('text', { name: 'sealed_secrets', nullable: true })
  sealedSecrets!: string | null;

  /** Whether the client's API key has not been told yet, since the call that made it was answered by a failure. */
  @Column('boolean', { name: 'is_key_withheld', default: false })
  isKeyWithheld!: boolean;

  @CreateDateColumn({ type: 'timestamptz', precision: 3, name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3, name: 'updated_at' })
  updatedAt!: Date;
}
