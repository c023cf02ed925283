import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What a caller's key stands for, for 24 hours: written with the provisioning that it led to, or not at all. */
@Entity('idempotency_keys')
@Index('idempotency_keys_expires_at_idx', ['expiresAt'])
export class IdempotencyKey {
  /** The subject of the caller. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  owner!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  key!: string;

  /** Recognises the body without telling it: bodies hold secrets. By a key of `ENCRYPTION_KEYS`. */
  @Column('text', { name: 'request_hmac' })
  requestHmac!: string;

  /** The same by the installation's secret, which outlives the keys; null of an earlier release's controller. */
  @Column('text', { name: 'lasting_hmac', nullable: true })
  lastingHmac!: string | null;

  /** No foreign key: that the client is gone must be known as long as the key is. */
  @Column('uuid', { name: 'client_id' })
  clientId!: string;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;
}
