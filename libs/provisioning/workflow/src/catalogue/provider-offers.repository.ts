import type { ProviderType } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Offer } from './order-check';

/** An offer, and when it was asked for. */
export interface DatedOffer {
  offer: Offer;
  askedAt: Date;
}

/** Of whoever asks: longer than a provider's requests may take. Who is gone by then is not waited for. */
const CLAIM_SECONDS = 60;

/** The table `provider_offers`: who reads a provider's catalogue reads it for all controllers. */
@Injectable()
export class ProviderOffers {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Takes the right to ask, unless another has it or there is an answer that was asked for later than that.
   * @param freshSince by the clock of the controllers
   */
  async claim(type: ProviderType, freshSince: Date): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query(
      `INSERT INTO provider_offers AS known (provider_type, claimed_until)
       VALUES ($1, now() + ${CLAIM_SECONDS} * interval '1 second')
       ON CONFLICT (provider_type) DO UPDATE SET claimed_until = excluded.claimed_until
       WHERE (known.claimed_until IS NULL OR known.claimed_until < now())
         AND (known.asked_at IS NULL OR known.asked_at <= $2)
       RETURNING provider_type`,
      [type, freshSince],
    );
    return rows.length > 0;
  }

  async save(type: ProviderType, { offer, askedAt }: DatedOffer): Promise<void> {
    await this.dataSource.query(
      `UPDATE provider_offers SET offer = $2, asked_at = $3, claimed_until = NULL WHERE provider_type = $1`,
      [type, JSON.stringify(offer), askedAt],
    );
  }

  /** After a failure: whoever asks next tries again. */
  async release(type: ProviderType): Promise<void> {
    await this.dataSource.query('UPDATE provider_offers SET claimed_until = NULL WHERE provider_type = $1', [type]);
  }

  /** Null while there is none that was asked for later than that. */
  async find(type: ProviderType, freshSince: Date): Promise<DatedOffer | null> {
    const [row]: DatedOffer[] = await this.dataSource.query(
      `SELECT offer, asked_at AS "askedAt" FROM provider_offers
       WHERE provider_type = $1 AND offer IS NOT NULL AND asked_at > $2`,
      [type, freshSince],
    );
    return row ?? null;
  }
}
