import type { ProviderType } from '@agent-controller/cloud-port';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A caller's key that we put into a project, and that no row names any more. */
@Entity('unused_keys')
export class UnusedKey {
  @PrimaryColumn('text', { name: 'provider_type', primaryKeyConstraintName: 'unused_keys_pkey' })
  providerType!: ProviderType;

  @PrimaryColumn('text', { name: 'key_id', primaryKeyConstraintName: 'unused_keys_pkey' })
  keyId!: string;

  @Column('text')
  name!: string;

  @Column({ type: 'timestamptz', name: 'unused_since', precision: 3 })
  unusedSince!: Date;
}
