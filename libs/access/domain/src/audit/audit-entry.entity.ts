import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A line of the audit trail: who did what to which client, when, from where, with which outcome. The database refuses to
 * change or delete lines. No foreign key: they outlive the client.
 */
@Entity('audit_log')
@Index('audit_log_client_id_id_idx', ['clientId', 'id'])
@Index('audit_log_subject_id_idx', ['subject', 'id'])
export class AuditEntry {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'audit_log_pkey',
  })
  id!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  /** Null: nobody who could prove who they are. */
  @Column('text', { nullable: true })
  subject!: string | null;

  @Column('text', { nullable: true })
  role!: string | null;

  /** Method and route, or `authentication`. */
  @Column('text')
  action!: string;

  @Column('uuid', { name: 'client_id', nullable: true })
  clientId!: string | null;

  @Column('text', { name: 'client_name', nullable: true })
  clientName!: string | null;

  @Column('text')
  address!: string;

  /** Of the answer. */
  @Column('integer')
  status!: number;

  /** Of the problem that was answered; null when it went well. */
  @Column('text', { nullable: true })
  code!: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  /** Failed authentications of one address are summed up. */
  @Column('integer', { default: 1 })
  count!: number;
}
