import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** This installation: one row, made once, so that a copied configuration never owns another's servers. */
@Entity('instance')
@Check('instance_singleton_check', 'singleton')
export class Instance {
  @PrimaryColumn('boolean', { primaryKeyConstraintName: 'instance_pkey', default: true })
  singleton!: boolean;

  @Column('uuid', { name: 'instance_id' })
  instanceId!: string;

  /** OpenSSH public key that we keep in each provider's project. Nobody has its private half. */
  @Column('text', { name: 'project_public_key' })
  projectPublicKey!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;
}
