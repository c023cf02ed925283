import type { ProviderType } from '@agent-controller/cloud-port';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Phase } from '../phases';

/**
 * A server that somebody gave up without deleting it: nobody works on it any more, and it may be billed. Never deleted;
 * no tombstone goes with it, so that nobody destroys what was given up on purpose.
 */
@Entity('abandoned_servers')
@Index('abandoned_servers_client_id_idx', ['clientId'])
@Index('abandoned_servers_owner_at_idx', ['owner', 'abandonedAt'])
@Index('abandoned_servers_server_idx', ['providerType', 'serverId'])
export class AbandonedServer {
  @PrimaryColumn('uuid', { name: 'provisioning_id', primaryKeyConstraintName: 'abandoned_servers_pkey' })
  provisioningId!: string;

  @Column('uuid', { name: 'client_id' })
  clientId!: string;

  @Column('text', { name: 'client_name' })
  clientName!: string;

  @Column('text')
  owner!: string;

  @Column('text', { name: 'provider_type' })
  providerType!: ProviderType;

  /** Null when it was never known; then `serverName` says what to look for, or that nothing was ordered. */
  @Column('text', { name: 'server_id', nullable: true })
  serverId!: string | null;

  @Column('text', { name: 'server_name', nullable: true })
  serverName!: string | null;

  @Column('text', { name: 'public_ip', nullable: true })
  publicIp!: string | null;

  @Column('text', { name: 'private_ip', nullable: true })
  privateIp!: string | null;

  @Column('text', { name: 'server_type' })
  serverType!: string;

  @Column('text')
  location!: string;

  @Column('integer')
  attempt!: number;

  /** In which it was given up. */
  @Column('text')
  phase!: Phase;

  @Column('double precision', { name: 'monthly_cost', nullable: true })
  monthlyCost!: number | null;

  @Column('text', { nullable: true })
  currency!: string | null;

  /** Id of our key in the project: says in which project to look. */
  @Column('text', { name: 'sentinel_id', nullable: true })
  sentinelId!: string | null;

  @Column('text')
  reason!: string;

  /** Subject of the caller. */
  @Column('text', { name: 'abandoned_by' })
  abandonedBy!: string;

  /** In the key, since an orphan that was adopted can be given up again. */
  @PrimaryColumn({
    type: 'timestamptz',
    name: 'abandoned_at',
    precision: 3,
    primaryKeyConstraintName: 'abandoned_servers_pkey',
  })
  abandonedAt!: Date;
}
