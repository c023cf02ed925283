import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Phase } from './phases';

/**
 * `phase`: a phase began. `stage`: the server began or ended a part of its set-up. `log`: the server's last lines.
 * `note`: something worth knowing. `error`: a step met an error. `health`: what is seen of the ready agent-manager
 * changed. `deleted`: the last event.
 */
export type EventType = 'phase' | 'stage' | 'log' | 'note' | 'error' | 'health' | 'deleted';

/** Further facts about an event, for programs. */
export type EventData = Record<string, string | number | boolean | null>;

/** One line of a provisioning's log. Outlives the rows by 24 hours. */
@Entity('provisioning_events')
@Index('provisioning_events_client_id_seq_idx', ['clientId', 'seq'])
@Index('provisioning_events_expires_at_idx', ['expiresAt'], { where: 'expires_at IS NOT NULL' })
export class ProvisioningEvent {
  @PrimaryColumn('uuid', { name: 'provisioning_id', primaryKeyConstraintName: 'provisioning_events_pkey' })
  provisioningId!: string;

  /** 1, 2, 3 … per provisioning, without gaps; given under the row's lock. */
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'provisioning_events_pkey' })
  seq!: number;

  @Column('uuid', { name: 'client_id' })
  clientId!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  @Column('text')
  type!: EventType;

  @Column('text')
  phase!: Phase;

  @Column('integer')
  attempt!: number;

  @Column('text')
  message!: string;

  @Column('jsonb', { nullable: true })
  data!: EventData | null;

  /** Set when the provisioning is deleted. */
  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3, nullable: true })
  expiresAt!: Date | null;
}
