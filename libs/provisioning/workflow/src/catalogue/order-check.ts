import type { Location, ServerImage, ServerType, ServerTypeLocation } from '@agent-controller/cloud-port';
import type { AppError } from '@agent-controller/kernel';
import { checkImage, imageName, isProven, otherImages } from './image-check';
import { MAX_ALTERNATIVES, refused } from './order-refusal';

/** What a provider offers. */
export interface Offer {
  serverTypes: ServerType[];
  locations: Location[];
  images: ServerImage[];
}

export interface WantedOrder {
  serverType: string;
  /** The cheapest available one when absent. */
  location?: string;
  /** Name or id. */
  image: string;
  /** The caller named no image. */
  isDefaultImage?: boolean;
}

export interface CheckedOrder {
  serverType: string;
  location: string;
  /** As it was asked for. */
  image: string;
  isProvenImage: boolean;
  /** Of the server and its public address. */
  monthlyCost: number;
  currency: string;
}

/** What could be found out of an order: all of it when there are no problems. */
export type OrderCheck =
  | { order: CheckedOrder; problems: []; isFull: false }
  | {
      order: { [Key in keyof CheckedOrder]: CheckedOrder[Key] | null };
      problems: [AppError, ...AppError[]];
      /** There is nothing wrong with it but that there is no room at present. */
      isFull: boolean;
    };

/**
 * Checks an order against what the provider offers, before anything is made.
 * @returns every problem as a 422 that names what could be ordered instead
 */
export function checkOrder(offer: Offer, wanted: WantedOrder, provider: string): OrderCheck {
  const type = offer.serverTypes.find(({ id }) => id === wanted.serverType) ?? null;
  const wantedImage = { image: wanted.image, isDefault: wanted.isDefaultImage ?? false };
  const { image, problem: imageProblem } = checkImage(offer.images, wantedImage, type, provider);
  const isPlace = wanted.location === undefined || offer.locations.some(({ id }) => id === wanted.location);
  const placed = type && isPlace ? choosePlace(offer, type, wanted, image) : null;
  const problems = [
    type ? null : unknownType(offer.serverTypes, wanted, provider),
    isPlace ? null : unknownLocation(offer, wanted, type, provider),
    placed?.problem ?? null,
    imageProblem,
  ].filter((problem) => problem !== null);
  const place = placed?.place ?? null;
  const order = {
    serverType: type?.id ?? null,
    location: place?.id ?? (isPlace ? (wanted.location ?? null) : null),
    image: image && wanted.image,
    isProvenImage: image && isProven(image),
    monthlyCost: place && monthlyCost(place),
    currency: place && type ? type.currency : null,
  };
  return { order, problems, isFull: problems.length === 1 && placed?.isFull === true } as OrderCheck;
}

type Choice = { place?: ServerTypeLocation; problem?: AppError; isFull?: true };

/** @param image null when it is a problem itself */
function choosePlace(offer: Offer, type: ServerType, wanted: WantedOrder, image: ServerImage | null): Choice {
  const places = available(type).sort((a, b) => monthlyCost(a) - monthlyCost(b));
  const wantedPlaces = wanted.location === undefined ? places : places.filter(({ id }) => id === wanted.location);
  const hasImage = ({ id }: ServerTypeLocation) => image?.locations?.includes(id) ?? true;
  const place = wantedPlaces.find(hasImage);
  if (place) return { place };
  const [withoutImage] = wantedPlaces;
  if (withoutImage && image) {
    const problem = imageElsewhere(offer.images, type, image, wanted, places);
    return wanted.location === undefined ? { problem } : { place: withoutImage, problem };
  }
  if (wanted.location === undefined || places.length === 0) {
    const message = `'${type.id}' cannot be ordered anywhere at present`;
    const others = idsOf(similarTypes(offer.serverTypes, type));
    return { problem: refused('server-type-unavailable', 'serverType', message, others), isFull: true };
  }
  const message = `'${type.id}' cannot be ordered at '${wanted.location}' at present`;
  const others = places.some(hasImage) ? places.filter(hasImage) : places;
  return { problem: refused('location-unavailable', 'location', message, idsOf(others)), isFull: true };
}

/** The image would do, were it there: another location or another image would help. */
function imageElsewhere(
  images: ServerImage[],
  type: ServerType,
  image: ServerImage,
  wanted: WantedOrder,
  places: ServerTypeLocation[],
): AppError {
  const there = places.filter(({ id }) => image.locations?.includes(id));
  const what = `'${imageName(image)}'`;
  if (wanted.location === undefined || there.length === 0) {
    const message = `${what} is only at ${image.locations?.join(', ')}, where '${type.id}' cannot be ordered at present`;
    const others = otherImages(
      images.filter(
        ({ id, locations }) => id !== image.id && places.some((place) => locations?.includes(place.id) ?? true),
      ),
      type,
    );
    return refused('image-unsuitable', 'image', message, others);
  }
  return refused('location-unavailable', 'location', `${what} is not at '${wanted.location}'`, idsOf(there));
}

function unknownType(all: ServerType[], { serverType, location }: WantedOrder, provider: string): AppError {
  const orderable = all.filter((type) => available(type).some(({ id }) => location === undefined || id === location));
  const cheapest = orderable.sort((a, b) => a.priceMonthly - b.priceMonthly).slice(0, MAX_ALTERNATIVES);
  const message = `${provider} has no server type '${serverType}' that can still be ordered`;
  return refused('server-type-unknown', 'serverType', message, idsOf(cheapest));
}

function unknownLocation(offer: Offer, { location }: WantedOrder, type: ServerType | null, provider: string): AppError {
  const alternatives = type ? available(type) : offer.locations.filter((each) => each.available);
  return refused('location-unknown', 'location', `${provider} has no location '${location}'`, idsOf(alternatives));
}

/** Types of the same architecture that are at least as big, the cheapest first: those nearest in price and size. */
export function similarTypes(all: readonly ServerType[], type: ServerType): ServerType[] {
  return all
    .filter((each) => each.architecture === type.architecture && each.memory >= type.memory && each.id !== type.id)
    .filter((each) => available(each).length > 0)
    .sort((a, b) => a.priceMonthly - b.priceMonthly)
    .slice(0, MAX_ALTERNATIVES);
}

function idsOf(things: readonly { id: string }[]): string[] {
  return things.map(({ id }) => id);
}

function available(type: ServerType): ServerTypeLocation[] {
  return type.locations.filter((location) => location.available);
}

/** Of the server and its public address. */
export function monthlyCost({ priceMonthly, addressPriceMonthly }: ServerTypeLocation): number {
  return Math.round((priceMonthly + addressPriceMonthly) * 100) / 100;
}
