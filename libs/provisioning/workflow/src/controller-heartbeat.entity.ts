import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One running controller. Its id is what its job workers lock jobs as. */
@Entity('controller_heartbeats')
export class ControllerHeartbeat {
  @PrimaryColumn('text', { name: 'worker_id', primaryKeyConstraintName: 'controller_heartbeats_pkey' })
  workerId!: string;

  @Column({ type: 'timestamptz', name: 'seen_at', precision: 3 })
  seenAt!: Date;
}
