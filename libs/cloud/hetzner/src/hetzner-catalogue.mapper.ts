import type { Location, ServerImage, ServerType, ServerTypeLocation } from '@agent-controller/cloud-port';
import type { HetznerImage, HetznerLocation, HetznerPricing, HetznerServerType } from './hetzner-answer.schemas';

/**
 * @param now decides which announced ends have passed
 * @returns null for a type that cannot be ordered any more: deprecated as a whole, or ended or ending at every location
 */
export function toServerType(type: HetznerServerType, pricing: HetznerPricing, now: Date): ServerType | null {
  if (type.deprecated || type.deprecation) return null;
  if (type.architecture !== 'x86' && type.architecture !== 'arm') return null;
  const locations = typeLocations(type, addressPrices(pricing), now);
  const cheapest = locations.toSorted((a, b) => a.priceMonthly - b.priceMonthly)[0];
  if (!cheapest || locations.every(({ deprecatedAfter }) => deprecatedAfter !== null)) return null;
  return {
    id: type.name,
    name: type.name,
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    architecture: type.architecture,
    description: type.description ?? type.name,
    currency: pricing.currency,
    priceMonthly: cheapest.priceMonthly,
    priceHourly: cheapest.priceHourly,
    locations,
  };
}

function typeLocations(type: HetznerServerType, addresses: Map<string, number>, now: Date): ServerTypeLocation[] {
  return type.locations.flatMap(({ name, available, deprecation }) => {
    const price = type.prices.find(({ location }) => location === name);
    const ended = deprecation && new Date(deprecation.unavailable_after) <= now;
    // Without a price nobody could say what the server would cost.
    if (!price || ended) return [];
    return {
      id: name,
      // Older answers have no `available`: there, being listed means that it can be ordered.
      available: available ?? true,
      priceMonthly: price.price_monthly.gross,
      priceHourly: price.price_hourly.gross,
      addressPriceMonthly: addresses.get(name) ?? 0,
      deprecatedAfter: deprecation?.unavailable_after ?? null,
    };
  });
}

function addressPrices({ primary_ips }: HetznerPricing): Map<string, number> {
  const prices = primary_ips.find(({ type }) => type === 'ipv4')?.prices ?? [];
  return new Map(prices.map(({ location, price_monthly }) => [location, price_monthly.gross]));
}

/** Hetzner has no flag for a location as a whole; each type says where it can be ordered. */
export function toLocation({ name, description, country, city }: HetznerLocation): Location {
  return { id: name, name: description ?? name, country, city, available: true };
}

const KINDS: Record<string, ServerImage['kind']> = { system: 'system', app: 'app', snapshot: 'own' };
/** The app image that has Docker and its Compose plugin (provider-rules.md). */
const DOCKER_APP = 'docker-ce';

/** @returns null for an image of a kind or an architecture that is not known here, and for backups */
export function toServerImage(image: HetznerImage): ServerImage | null {
  const kind = KINDS[image.type];
  if (!kind || (image.architecture !== 'x86' && image.architecture !== 'arm')) return null;
  return {
    id: String(image.id),
    name: image.name ?? null,
    description: image.description ?? image.name ?? String(image.id),
    kind,
    osFamily: image.os_flavor.toLowerCase(),
    osVersion: image.os_version ?? null,
    architecture: image.architecture,
    hasDocker: kind === 'app' && image.name === DOCKER_APP,
    isDeprecated: (image.deprecated ?? null) !== null,
    minDisk: image.disk_size,
    locations: null,
  };
}
