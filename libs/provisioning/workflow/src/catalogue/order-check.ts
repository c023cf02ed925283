import type { Location, ServerType, ServerTypeLocation } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';

const MAX_ALTERNATIVES = 5;

export interface CheckedOrder {
  location: string;
  /** Of the server and its public address. */
  monthlyCost: number;
  currency: string;
}

/**
 * Checks an order against what the provider offers, before anything is made.
 * @param wanted without a location, the cheapest available one is chosen
 * @throws AppError 422 that names what could be ordered instead
 */
export function checkOrder(
  offer: { serverTypes: ServerType[]; locations: Location[] },
  wanted: { serverType: string; location?: string },
  provider: string,
): CheckedOrder {
  const type = offer.serverTypes.find(({ id }) => id === wanted.serverType);
  if (!type) throw unknownType(offer.serverTypes, wanted, provider);
  if (wanted.location !== undefined && !offer.locations.some(({ id }) => id === wanted.location)) {
    const alternatives = available(type).map(({ id }) => id);
    throw refused('location-unknown', 'location', `${provider} has no location '${wanted.location}'`, alternatives);
  }
  const places = available(type).sort((a, b) => cost(a) - cost(b));
  const [place] = wanted.location === undefined ? places : places.filter(({ id }) => id === wanted.location);
  if (place) return { location: place.id, monthlyCost: cost(place), currency: type.currency };
  if (wanted.location === undefined || places.length === 0) {
    const message = `'${type.id}' cannot be ordered anywhere at present`;
    throw refused('server-type-unavailable', 'serverType', message, similar(offer.serverTypes, type));
  }
  throw refused(
    'location-unavailable',
    'location',
    `'${type.id}' cannot be ordered at '${wanted.location}' at present`,
    places.map(({ id }) => id),
  );
}

function unknownType(
  all: ServerType[],
  { serverType, location }: { serverType: string; location?: string },
  provider: string,
) {
  const orderable = all.filter((type) => available(type).some(({ id }) => location === undefined || id === location));
  const cheapest = orderable.sort((a, b) => a.priceMonthly - b.priceMonthly).slice(0, MAX_ALTERNATIVES);
  return refused(
    'server-type-unknown',
    'serverType',
    `${provider} has no server type '${serverType}' that can still be ordered`,
    cheapest.map(({ id }) => id),
  );
}

/** Types of the same architecture that are at least as big, the cheapest first. */
function similar(all: ServerType[], type: ServerType): string[] {
  return all
    .filter((each) => each.architecture === type.architecture && each.memory >= type.memory && each.id !== type.id)
    .filter((each) => available(each).length > 0)
    .sort((a, b) => a.priceMonthly - b.priceMonthly)
    .slice(0, MAX_ALTERNATIVES)
    .map(({ id }) => id);
}

function refused(
  code: 'server-type-unknown' | 'server-type-unavailable' | 'location-unknown' | 'location-unavailable',
  field: string,
  message: string,
  alternatives: string[],
): AppError {
  const hint =
    alternatives.length > 0 ? `Use one of: ${alternatives.join(', ')}.` : 'There is no alternative at present.';
  return new AppError(code, `${message}. ${hint}`, {
    errors: [{ field, message: `${message}. ${hint}` }],
    extensions: { alternatives },
  });
}

function available(type: ServerType): ServerTypeLocation[] {
  return type.locations.filter((location) => location.available);
}

function cost({ priceMonthly, addressPriceMonthly }: ServerTypeLocation): number {
  return Math.round((priceMonthly + addressPriceMonthly) * 100) / 100;
}
