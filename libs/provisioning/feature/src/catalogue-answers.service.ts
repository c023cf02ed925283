import type { ProviderType } from '@agent-controller/cloud-port';
import type { LocationView, ProviderView, ServerImageView, ServerTypeView } from '@agent-controller/contracts';
import { CatalogueService, type Offer } from '@agent-controller/provisioning-workflow';
import { Injectable } from '@nestjs/common';
import { toImageView } from './image-view.mapper';
import { PreparedAnswer } from './prepared-answer';

const PROVIDERS_PATH = '/api/clients/provisioning/providers';

interface Place {
  type: ProviderType;
  what: string;
  route: string;
}

/** The catalogue as callers get it, prepared once for each offer that was read. */
@Injectable()
export class CatalogueAnswers {
  #providers?: PreparedAnswer;
  #paths?: Map<string, Place>;
  readonly #ofOffers = new WeakMap<Offer, Map<string, PreparedAnswer>>();

  constructor(private readonly catalogue: CatalogueService) {}

  /**
   * One that was made before and need not be made anew, so that nobody has to be waited for.
   * @param path with nothing behind it, as callers send it
   * @returns `route`: the path of its kind
   */
  atOnce(path: string): { answer: PreparedAnswer; route: string } | null {
    if (path === PROVIDERS_PATH) return { answer: this.providers(), route: PROVIDERS_PATH };
    this.#paths ??= this.paths();
    const place = this.#paths.get(path);
    const offer = place && this.catalogue.freshOffer(place.type);
    const answer = offer && this.#ofOffers.get(offer)?.get(place.what);
    return answer ? { answer, route: place.route } : null;
  }

  providers(): PreparedAnswer {
    return (this.#providers ??= new PreparedAnswer(
      this.catalogue.configuredProviders().map(({ type, displayName }): ProviderView => ({ type, displayName })),
    ));
  }

  /** @throws AppError `provider-not-found`, `location-unknown`, `provider-unavailable`, `provider-refused` */
  async serverTypes(type: string, location?: string): Promise<PreparedAnswer> {
    const what = location === undefined ? 'server-types' : `server-types ${location}`;
    return this.prepared(type, what, async (): Promise<ServerTypeView[]> =>
      (await this.catalogue.serverTypes(type, location)).map(({ locations, ...serverType }) => ({
        ...serverType,
        locations: locations.map(({ addressPriceMonthly: _address, ...place }) => place),
      })),
    );
  }

  /** @throws AppError as above */
  locations(type: string): Promise<PreparedAnswer> {
    return this.prepared(type, 'locations', (): Promise<LocationView[]> => this.catalogue.locations(type));
  }

  /** @throws AppError as above */
  images(type: string): Promise<PreparedAnswer> {
    return this.prepared(type, 'images', async (): Promise<ServerImageView[]> =>
      (await this.catalogue.images(type)).map(toImageView),
    );
  }

  private paths(): Map<string, Place> {
    const routeOf = (type: string, what: string) => `${PROVIDERS_PATH}/${type}/${what}`;
    const places = this.catalogue
      .configuredProviders()
      .flatMap(({ type }) =>
        ['server-types', 'locations', 'images'].map((what) => ({ type, what, route: routeOf(':providerType', what) })),
      );
    return new Map(places.map((place) => [routeOf(place.type, place.what), place]));
  }

  private async prepared(type: string, what: string, view: () => Promise<unknown>): Promise<PreparedAnswer> {
    const offer = await this.catalogue.offer(this.catalogue.provider(type));
    const known = this.#ofOffers.get(offer)?.get(what);
    if (known) return known;
    const made = new PreparedAnswer(await view());
    // Another offer may have come meanwhile: then this one is made again when it is asked for.
    const answers = this.#ofOffers.get(offer) ?? new Map<string, PreparedAnswer>();
    this.#ofOffers.set(offer, answers.set(what, made));
    return made;
  }
}
