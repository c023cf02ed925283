import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One row, made at the first start: whoever cannot open it has the wrong keys. */
@Entity('encryption_canary')
@Check('encryption_canary_singleton_check', 'singleton')
export class EncryptionCanary {
  @PrimaryColumn('boolean', { primaryKeyConstraintName: 'encryption_canary_pkey', default: true })
  singleton!: boolean;

  /** 32 random bytes, base64, sealed: what tokens and HMACs are derived from, whichever keys seal. */
  @Column('text', { name: 'sealed_secret' })
  sealedSecret!: string;
}
