import type { Location, ServerType } from '@agent-controller/cloud-port';
import type { RegionAnswer, SizeAnswer } from './digital-ocean-answer.schemas';

const MB_PER_GB = 1_024;

// DigitalOcean tells no country. https://docs.digitalocean.com/platform/regional-availability/
const PLACES: Record<string, { country: string; city: string }> = {
  ams: { country: 'NL', city: 'Amsterdam' },
  atl: { country: 'US', city: 'Atlanta' },
  blr: { country: 'IN', city: 'Bangalore' },
  fra: { country: 'DE', city: 'Frankfurt' },
  lon: { country: 'GB', city: 'London' },
  nyc: { country: 'US', city: 'New York' },
  ric: { country: 'US', city: 'Richmond' },
  sfo: { country: 'US', city: 'San Francisco' },
  sgp: { country: 'SG', city: 'Singapore' },
  syd: { country: 'AU', city: 'Sydney' },
  tor: { country: 'CA', city: 'Toronto' },
};
/** ISO 3166's code for "unknown", for a region that opened after this was written. */
const UNKNOWN_COUNTRY = 'ZZ';

/** @returns null for a size that is offered nowhere any more */
export function toServerType(size: SizeAnswer, openRegions: ReadonlySet<string>): ServerType | null {
  if (size.regions.length === 0) return null;
  const price = { priceMonthly: size.price_monthly, priceHourly: size.price_hourly };
  return {
    id: size.slug,
    name: size.slug,
    cores: size.vcpus,
    memory: size.memory / MB_PER_GB,
    disk: size.disk,
    architecture: 'x86',
    description: size.description ?? size.slug,
    currency: 'USD',
    ...price,
    locations: size.regions.map((id) => ({
      id,
      available: size.available && openRegions.has(id),
      ...price,
      // Included in every droplet's price.
      addressPriceMonthly: 0,
      // DigitalOcean announces no ends.
      deprecatedAfter: null,
    })),
  };
}

export function toLocation({ slug, name, available }: RegionAnswer): Location {
  const place = PLACES[slug.replace(/\d+$/, '')] ?? { country: UNKNOWN_COUNTRY, city: name.replace(/\s*\d+$/, '') };
  return { id: slug, name, ...place, available };
}
