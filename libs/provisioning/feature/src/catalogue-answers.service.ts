import type { LocationView, ProviderView, ServerImageView, ServerTypeView } from '@agent-controller/contracts';
import { CatalogueService, type Offer } from '@agent-controller/provisioning-workflow';
import { Injectable } from '@nestjs/common';
import { toImageView } from './image-view.mapper';
import { PreparedAnswer } from './prepared-answer';

/** The catalogue as callers get it, prepared once for each offer that was read. */
@Injectable()
export class CatalogueAnswers {
  #providers?: PreparedAnswer;
  readonly #ofOffers = new WeakMap<Offer, Map<string, PreparedAnswer>>();

  constructor(private readonly catalogue: CatalogueService) {}

  providers(): PreparedAnswer {
    return (this.#providers ??= new PreparedAnswer(
      this.catalogue.configuredProviders().map(({ type, displayName }): ProviderView => ({ type, displayName })),
    ));
  }

  /** @throws AppError `provider-not-found`, `location-unknown`, `provider-unavailable`, `provider-refused` */
  async serverTypes(type: string, location?: string): Promise<PreparedAnswer> {
    return this.prepared(type, `server-types ${location ?? ''}`, async (): Promise<ServerTypeView[]> =>
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
