import type { Location, ServerImage, ServerType } from '@agent-controller/cloud-port';
import type { ImageAnswer, RegionAnswer, SizeAnswer } from './digital-ocean-answer.schemas';

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

/** Docker's own image in the marketplace, `docker-20-04`, keeps its slug when the system below changes. */
const DOCKER_APP = /^docker-\d/;
/** Nothing tells a system from an application but the slug: `ubuntu-24-04-x64`. */
const SYSTEM_SLUG = /^([a-z]+(?:-stream)?)-[\d-]+-x64$/;

/** @returns null for what cannot be ordered, and for backups */
export function toServerImage(image: ImageAnswer): ServerImage | null {
  if ((image.status ?? 'available') !== 'available' || image.type === 'backup' || image.regions.length === 0)
    return null;
  const slug = image.slug ?? null;
  if (image.public && slug === null) return null;
  const kind = !image.public ? 'own' : SYSTEM_SLUG.test(slug ?? '') ? 'system' : 'app';
  return {
    id: String(image.id),
    name: slug,
    description: kind === 'system' ? `${image.distribution} ${image.name}` : image.name,
    kind,
    osFamily: image.distribution.toLowerCase(),
    osVersion: kind === 'own' ? null : versionIn(image),
    // DigitalOcean has no other.
    architecture: 'x86',
    hasDocker: kind === 'app' && DOCKER_APP.test(slug ?? ''),
    // DigitalOcean does not tell: what it retires is no longer listed.
    isDeprecated: false,
    minDisk: image.min_disk_size ?? 0,
    locations: image.regions,
  };
}

/** A system's name begins with it, `24.04 (LTS) x64`; an application's ends with it, `Docker 28.1 on Ubuntu 22.04`. */
function versionIn({ name }: ImageAnswer): string | null {
  const found = /^(\d+(?:\.\d+)*)/.exec(name) ?? / on [A-Za-z ]+ (\d+(?:\.\d+)*)/.exec(name);
  return found?.[1] ?? null;
}
