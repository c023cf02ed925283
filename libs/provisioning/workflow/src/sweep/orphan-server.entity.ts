import type { ProviderType, ServerStatus } from '@agent-controller/cloud-port';
import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** `unknown`: no row and no tombstone knows its provisioning. `surplus`: its provisioning has another server. */
export type OrphanKind = 'unknown' | 'surplus' | 'abandoned';

/** A server that carries this installation's label and belongs to no row, as the last sweep saw it. */
@Entity('orphan_servers')
@Check('orphan_servers_kind_check', `kind IN ('unknown', 'surplus', 'abandoned')`)
export class OrphanServer {
  @PrimaryColumn('text', { name: 'provider_type', primaryKeyConstraintName: 'orphan_servers_pkey' })
  providerType!: ProviderType;

  @PrimaryColumn('text', { name: 'server_id', primaryKeyConstraintName: 'orphan_servers_pkey' })
  serverId!: string;

  @Column('text')
  kind!: OrphanKind;

  @Column('text')
  name!: string;

  @Column('text', { name: 'server_type' })
  serverType!: string;

  @Column('text')
  location!: string;

  @Column('text', { nullable: true })
  image!: string | null;

  @Column('text')
  status!: ServerStatus;

  @Column('text', { name: 'public_ipv4', nullable: true })
  publicIpv4!: string | null;

  @Column('text', { name: 'public_ipv6', nullable: true })
  publicIpv6!: string | null;

  @Column('text', { name: 'private_ipv4', nullable: true })
  privateIpv4!: string | null;

  /** As its label says; text, since a label can say anything. */
  @Column('text', { name: 'provisioning_id' })
  provisioningId!: string;

  @Column('integer')
  attempt!: number;

  @Column({ type: 'timestamptz', name: 'server_created_at', precision: 3 })
  serverCreatedAt!: Date;

  @Column({ type: 'timestamptz', name: 'first_seen_at', precision: 3 })
  firstSeenAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_seen_at', precision: 3 })
  lastSeenAt!: Date;

  /** Of the server and its address, as billed; null when the provider's price is not known. */
  @Column('double precision', { name: 'monthly_cost', nullable: true })
  monthlyCost!: number | null;

  @Column('text', { nullable: true })
  currency!: string | null;
}
