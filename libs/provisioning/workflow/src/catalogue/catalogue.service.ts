import {
  CloudError,
  CloudProviderRegistry,
  type CloudProvider,
  type Location,
  type ProviderType,
  type ServerImage,
  type ServerType,
} from '@agent-controller/cloud-port';
import { AppError, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '../tokens';
import { usableImages } from './image-check';
import { checkOrder, type Offer, type OrderCheck, type WantedOrder } from './order-check';
import { providerError } from './provider-error';

const FRESH_MS = 60_000;

interface CachedOffer {
  loadedAt: number;
  offer: Promise<Offer>;
}

/** What the configured providers offer, at most a minute old; many callers cause one question. */
@Injectable()
export class CatalogueService {
  readonly #offers = new Map<ProviderType, CachedOffer>();

  constructor(
    private readonly providers: CloudProviderRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  configuredProviders(): CloudProvider[] {
    return this.providers.all();
  }

  /** @throws AppError `provider-not-found`, which names those that can be used */
  provider(type: string): CloudProvider {
    const provider = this.providers.find(type);
    if (provider) return provider;
    const usable = this.providers.all().map((each) => each.type);
    throw new AppError(
      'provider-not-found',
      `There is no provider '${type}' here. ` +
        (usable.length > 0 ? `Use one of: ${usable.join(', ')}.` : 'None is configured: set an API token.'),
    );
  }

  /** @param location only types that can be ordered there, with its prices */
  async serverTypes(type: string, location?: string): Promise<ServerType[]> {
    const { serverTypes, locations } = await this.offer(this.provider(type));
    if (location === undefined) return serverTypes;
    if (!locations.some(({ id }) => id === location)) {
      throw new AppError('location-unknown', `${type} has no location '${location}'. ${oneOf(locations)}`);
    }
    return serverTypes.flatMap((serverType) => {
      const here = serverType.locations.filter(({ id, available }) => id === location && available);
      const [first] = here;
      if (!first) return [];
      return { ...serverType, locations: here, priceMonthly: first.priceMonthly, priceHourly: first.priceHourly };
    });
  }

  async locations(type: string): Promise<Location[]> {
    return (await this.offer(this.provider(type))).locations;
  }

  /** Those that servers can be made from. */
  async images(type: string): Promise<ServerImage[]> {
    return usableImages((await this.offer(this.provider(type))).images);
  }

  /** Where else a type can be ordered now. */
  async otherLocations(type: ProviderType, serverType: string, location: string): Promise<string[]> {
    const { serverTypes } = await this.offer(this.provider(type));
    const found = serverTypes.find(({ id }) => id === serverType);
    return (found?.locations ?? []).filter(({ id, available }) => available && id !== location).map(({ id }) => id);
  }

  /** @throws AppError `provider-unavailable`, `provider-refused` */
  async checkOrder(provider: CloudProvider, wanted: WantedOrder): Promise<OrderCheck> {
    return checkOrder(await this.offer(provider), wanted, provider.displayName);
  }

  async offer(provider: CloudProvider): Promise<Offer> {
    const now = this.clock.now().getTime();
    const cached = this.#offers.get(provider.type);
    if (cached && now - cached.loadedAt < FRESH_MS) return cached.offer;
    const offer = this.load(provider);
    this.#offers.set(provider.type, { loadedAt: now, offer });
    // A failure is not kept.
    offer.catch(() => this.#offers.delete(provider.type));
    return offer;
  }

  private async load(provider: CloudProvider): Promise<Offer> {
    try {
      const [serverTypes, locations, images] = await Promise.all([
        provider.listServerTypes(),
        provider.listLocations(),
        provider.listImages(),
      ]);
      return { serverTypes, locations, images };
    } catch (error) {
      throw error instanceof CloudError ? providerError(error) : error;
    }
  }
}

function oneOf(things: { id: string }[]): string {
  return `Use one of: ${things.map(({ id }) => id).join(', ')}.`;
}
