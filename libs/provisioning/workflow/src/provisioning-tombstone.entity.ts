import type { ProviderType } from '@agent-controller/cloud-port';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * What is left of a deleted provisioning, so that a repeated DELETE (for 24 hours) and a late server (until a sweep after
 * that has seen none) are recognised.
 */
@Entity('provisioning_tombstones')
@Index('provisioning_tombstones_client_id_idx', ['clientId'])
@Index('provisioning_tombstones_expires_at_idx', ['expiresAt'])
export class ProvisioningTombstone {
  @PrimaryColumn('uuid', { name: 'provisioning_id', primaryKeyConstraintName: 'provisioning_tombstones_pkey' })
  provisioningId!: string;

  @Column('uuid', { name: 'client_id' })
  clientId!: string;

  @Column('text')
  owner!: string;

  @Column('text', { name: 'provider_type' })
  providerType!: ProviderType;

  @Column('text', { name: 'server_id', nullable: true })
  serverId!: string | null;

  @Column('integer')
  attempt!: number;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3 })
  deletedAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  /** When a sweep last saw a server of the deleted provisioning. */
  @Column({ type: 'timestamptz', name: 'server_seen_at', precision: 3, nullable: true })
  serverSeenAt!: Date | null;
}
