import {
  CloudProviderRegistry,
  type CloudProvider,
  type Location,
  type ProviderType,
  type ServerImage,
  type ServerType,
} from '@agent-controller/cloud-port';
import { AppError, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { CLOCK } from '../tokens';
import { CatalogueMemory } from './catalogue-memory';
import { usableImages } from './image-check';
import { checkOrder, monthlyCost, similarTypes, type Offer, type OrderCheck, type WantedOrder } from './order-check';
import { ProviderOffers } from './provider-offers.repository';

/** What the configured providers offer, as `OFFER_AGE` says how old; many callers of many controllers cause one question. */
@Injectable()
export class CatalogueService {
  readonly #offers: CatalogueMemory;

  constructor(
    private readonly providers: CloudProviderRegistry,
    @Inject(CLOCK) clock: Clock,
    @Optional() shared?: ProviderOffers,
  ) {
    this.#offers = new CatalogueMemory(clock, askForOffer, shared ?? null);
  }

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

  /** Types much like this one that can be ordered now, the cheapest first, and where. */
  async otherTypes(type: ProviderType, serverType: string): Promise<{ id: string; locations: string[] }[]> {
    const { serverTypes } = await this.offer(this.provider(type));
    const found = serverTypes.find(({ id }) => id === serverType);
    if (!found) return [];
    return similarTypes(serverTypes, found).map(({ id, locations }) => ({
      id,
      locations: locations.filter(({ available }) => available).map((location) => location.id),
    }));
  }

  /** What a server and its address cost a month, as billed; nulls when the provider does not tell now. */
  async cost(
    provider: CloudProvider,
    serverType: string,
    location: string,
  ): Promise<{ monthlyCost: number | null; currency: string | null }> {
    const offer = await this.offer(provider).catch(() => null);
    const type = offer?.serverTypes.find(({ id }) => id === serverType);
    const place = type?.locations.find(({ id }) => id === location);
    return type && place
      ? { monthlyCost: monthlyCost(place), currency: type.currency }
      : { monthlyCost: null, currency: null };
  }

  /** @throws AppError `provider-unavailable`, `provider-refused` */
  async checkOrder(provider: CloudProvider, wanted: WantedOrder): Promise<OrderCheck> {
    return checkOrder(await this.offer(provider), wanted, provider.displayName);
  }

  /** The same, if it is known and need not be read anew. */
  freshOffer(type: ProviderType): Offer | null {
    return this.#offers.fresh(type);
  }

  offer(provider: CloudProvider): Promise<Offer> {
    return this.#offers.get(provider);
  }
}

async function askForOffer(provider: CloudProvider): Promise<Offer> {
  const [serverTypes, locations, images] = await Promise.all([
    provider.listServerTypes(),
    provider.listLocations(),
    provider.listImages(),
  ]);
  return { serverTypes, locations, images };
}

function oneOf(things: { id: string }[]): string {
  return `Use one of: ${things.map(({ id }) => id).join(', ')}.`;
}
