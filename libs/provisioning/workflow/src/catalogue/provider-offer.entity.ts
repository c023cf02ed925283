import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Offer } from './order-check';

/** What a provider offered when a controller last asked, for all controllers. */
@Entity('provider_offers')
export class ProviderOffer {
  @PrimaryColumn('text', { name: 'provider_type', primaryKeyConstraintName: 'provider_offers_pkey' })
  providerType!: string;

  /** Null before the first answer. As text: all controllers answer the same bytes, with the same tag. */
  @Column('json', { nullable: true })
  offer!: Offer | null;

  /** When that was asked, by the asking controller's clock. */
  @Column({ type: 'timestamptz', name: 'asked_at', precision: 3, nullable: true })
  askedAt!: Date | null;

  /** Until then the others leave the asking to a controller that has begun it. */
  @Column({ type: 'timestamptz', name: 'claimed_until', precision: 3, nullable: true })
  claimedUntil!: Date | null;
}
