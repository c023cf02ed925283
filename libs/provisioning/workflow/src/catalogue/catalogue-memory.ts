import { CloudError, type CloudProvider, type ProviderType } from '@agent-controller/cloud-port';
import { isDatabaseAway } from '@agent-controller/database';
import { SingleFlight, type Clock } from '@agent-controller/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopsClock } from '../steps/cloud-failure';
import type { Offer } from './order-check';
import { providerError } from './provider-error';
import type { DatedOffer, ProviderOffers } from './provider-offers.repository';

/**
 * An offer takes four to six requests (types, prices, locations, images, by pages): so that they are one a minute at most,
 * whatever the callers do and however many controllers there are.
 */
export const OFFER_AGE = {
  freshMs: 360_000,
  /** Until then callers get it at once, and it is read anew behind them. */
  behindMs: 720_000,
  /** While the provider cannot be asked: orders are taken then, and wait. It checks them itself when they are sent. */
  staleMs: 3_600_000,
};
const AGAIN_AFTER_FAILURE_MS = 60_000;
/** For an answer that another controller asks for. */
const LOOK_EVERY_MS = 250;
const LOOKS = 160;

type Shared = Pick<ProviderOffers, 'claim' | 'save' | 'release' | 'find'>;

interface Known extends DatedOffer {
  /** A failure is not followed by the next question at once. */
  notBefore: number;
}

/** The providers' offers as this controller knows them; what one controller has read, the others take over. */
export class CatalogueMemory {
  readonly #known = new Map<ProviderType, Known>();
  readonly #refreshes = new SingleFlight<ProviderType, DatedOffer>();

  /** @param shared null: of this controller alone */
  constructor(
    private readonly clock: Clock,
    private readonly ask: (provider: CloudProvider) => Promise<Offer>,
    private readonly shared: Shared | null,
  ) {}

  /** One that need not be read anew, nor is being. */
  fresh(type: ProviderType): Offer | null {
    const known = this.#known.get(type);
    return known && this.ageOf(known) < OFFER_AGE.freshMs ? known.offer : null;
  }

  /** @throws AppError `provider-unavailable`, `provider-refused` */
  async get(provider: CloudProvider): Promise<Offer> {
    const known = this.#known.get(provider.type);
    const age = known ? this.ageOf(known) : Infinity;
    if (known && age < OFFER_AGE.freshMs) return known.offer;
    const now = this.clock.now().getTime();
    if (known && now < known.notBefore && age < OFFER_AGE.staleMs) return known.offer;
    const refresh = this.refresh(provider);
    if (known && age < OFFER_AGE.behindMs) {
      refresh.catch((error: unknown) => this.putOff(known, error, now));
      return known.offer;
    }
    try {
      return (await refresh).offer;
    } catch (error) {
      if (known && age < OFFER_AGE.staleMs && this.putOff(known, error, now)) return known.offer;
      throw error instanceof CloudError ? providerError(error) : error;
    }
  }

  private ageOf({ askedAt }: Known): number {
    return this.clock.now().getTime() - askedAt.getTime();
  }

  /** @returns whether the failure is one that passes; what is refused is told to the next caller who has to wait */
  private putOff(known: Known, error: unknown, now: number): boolean {
    const isPassing = error instanceof CloudError ? stopsClock(error) : isDatabaseAway(error);
    if (isPassing) known.notBefore = now + AGAIN_AFTER_FAILURE_MS;
    return isPassing;
  }

  /** One at a time. */
  private refresh(provider: CloudProvider): Promise<DatedOffer> {
    return this.#refreshes.run(provider.type, async () => {
      const dated = await this.load(provider);
      this.#known.set(provider.type, { ...dated, notBefore: 0 });
      return dated;
    });
  }

  private async load(provider: CloudProvider): Promise<DatedOffer> {
    const askedAt = this.clock.now();
    if (!this.shared) return { offer: await this.ask(provider), askedAt };
    const freshSince = new Date(askedAt.getTime() - OFFER_AGE.freshMs);
    for (let looks = 0; looks < LOOKS; looks++) {
      if (await this.shared.claim(provider.type, freshSince)) return this.askForAll(provider, this.shared);
      const found = await this.shared.find(provider.type, freshSince);
      if (found) return found;
      await sleep(LOOK_EVERY_MS);
    }
    throw new CloudError('unavailable', `${provider.type} does not answer another controller`);
  }

  private async askForAll(provider: CloudProvider, shared: Shared): Promise<DatedOffer> {
    const askedAt = this.clock.now();
    try {
      const dated = { offer: await this.ask(provider), askedAt };
      await shared.save(provider.type, dated);
      return dated;
    } catch (error) {
      await shared.release(provider.type).catch(() => undefined);
      throw error;
    }
  }
}
