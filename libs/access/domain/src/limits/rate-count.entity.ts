import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** How often something was done in a window of time, counted by all controllers together. Lost in a crash: no harm. */
@Entity('rate_counts')
@Index('rate_counts_window_start_idx', ['windowStart'])
export class RateCount {
  /** What is counted, and of whom: `caller …` or `failed …`. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'rate_counts_pkey' })
  key!: string;

  @Column({ type: 'timestamptz', name: 'window_start', precision: 3 })
  windowStart!: Date;

  @Column('integer')
  count!: number;
}
