import type { InboundRule, ProviderType } from '@agent-controller/cloud-port';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * What is known of a firewall of ours, for all controllers: so that the provider is asked once for each firewall and not
 * for each server, and that none is removed which a server is about to stand behind. Times are by the controllers' clocks.
 */
@Entity('provider_firewalls')
export class ProviderFirewall {
  @PrimaryColumn('text', { name: 'provider_type', primaryKeyConstraintName: 'provider_firewalls_pkey' })
  providerType!: ProviderType;

  /** It says what is in it. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'provider_firewalls_pkey' })
  name!: string;

  /** What its name stands for. */
  @Column('jsonb')
  inbound!: InboundRule[];

  /** What an order names it by; null while it is not known to be there. */
  @Column('text', { nullable: true })
  key!: string | null;

  /** Id of our key in the project that it is in. */
  @Column('text', { name: 'sentinel_id', nullable: true })
  sentinelId!: string | null;

  /** When the provider last said that it is there, and what it should be. */
  @Column({ type: 'timestamptz', name: 'checked_at', precision: 3, nullable: true })
  checkedAt!: Date | null;

  /** When an order was last about to name it. */
  @Column({ type: 'timestamptz', name: 'used_at', precision: 3 })
  usedAt!: Date;

  /** Since when a sweep takes it away: for some time nobody may use it, since a deletion may still take effect. */
  @Column({ type: 'timestamptz', name: 'removing_since', precision: 3, nullable: true })
  removingSince!: Date | null;
}
