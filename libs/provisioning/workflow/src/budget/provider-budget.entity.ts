import type { ProviderType } from '@agent-controller/cloud-port';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * How often one project of a provider may still be asked, and whether the provider answers at all: one row for all
 * controllers. Written by single statements alone (`BudgetRepository`), with the database's clock, to the microsecond.
 */
@Entity('provider_budgets')
export class ProviderBudget {
  @PrimaryColumn('text', { name: 'provider_type', primaryKeyConstraintName: 'provider_budgets_pkey' })
  providerType!: ProviderType;

  /** SHA-256 of the API token, hex: the token itself is nowhere. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'provider_budgets_pkey' })
  project!: string;

  /** Requests in an hour. */
  @Column('integer', { name: 'hour_limit' })
  hourLimit!: number;

  /** How many were left at `refilledAt`; it refills evenly. So do the next two, at the rates of the adapter. */
  @Column('double precision', { name: 'hour_left' })
  hourLeft!: number;

  @Column('double precision', { name: 'minute_left' })
  minuteLeft!: number;

  @Column('double precision', { name: 'key_lists_left' })
  keyListsLeft!: number;

  @Column('timestamptz', { name: 'refilled_at' })
  refilledAt!: Date;

  /** When an answer last told what is left. */
  @Column('timestamptz', { name: 'told_at', nullable: true })
  toldAt!: Date | null;

  /** Counts the requests that were let through. */
  @Column('bigint', { default: 0 })
  admitted!: string;

  /** Tickets of requests whose end is not known yet: the microsecond in which each was let through, in order. */
  @Column('bigint', { name: 'in_flight', array: true, default: [] })
  inFlight!: string[];

  /** Until when the provider asked to wait. */
  @Column('timestamptz', { name: 'blocked_until', nullable: true })
  blockedUntil!: Date | null;

  /** Requests in a row that the provider did not answer, or answered with an error of its own. */
  @Column('integer', { default: 0 })
  failures!: number;

  /** The server that the last of them was about. */
  @Column('text', { name: 'failed_server', nullable: true })
  failedServer!: string | null;

  /** Since when the circuit is open; null while it is closed. */
  @Column('timestamptz', { name: 'open_since', nullable: true })
  openSince!: Date | null;

  /** When the next request is let through an open circuit, or when the one that was counts as lost. */
  @Column('timestamptz', { name: 'retry_at', nullable: true })
  retryAt!: Date | null;

  /** Ticket of the one request that was let through an open circuit and is not back yet. */
  @Column('bigint', { nullable: true })
  probe!: string | null;
}
