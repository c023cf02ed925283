/** Regions and sizes as of 2026; prices in dollars. */
export const REGIONS = [
  { slug: 'nyc1', name: 'New York 1', available: true },
  { slug: 'nyc3', name: 'New York 3', available: true },
  { slug: 'sfo3', name: 'San Francisco 3', available: true },
  { slug: 'ams3', name: 'Amsterdam 3', available: true },
  { slug: 'fra1', name: 'Frankfurt 1', available: true },
  { slug: 'lon1', name: 'London 1', available: true },
  { slug: 'sgp1', name: 'Singapore 1', available: true },
  { slug: 'sfo1', name: 'San Francisco 1', available: false },
];

const OPEN = REGIONS.filter(({ available }) => available).map(({ slug }) => slug);

export interface Size {
  slug: string;
  memory: number;
  vcpus: number;
  disk: number;
  transfer: number;
  price_monthly: number;
  price_hourly: number;
  regions: string[];
  available: boolean;
  description: string;
}

function size(
  slug: string,
  vcpus: number,
  memory: number,
  disk: number,
  monthly: number,
  changes: Partial<Size> = {},
): Size {
  const hourly = Math.round((monthly / 672) * 100_000) / 100_000;
  const facts = { slug, vcpus, memory, disk, price_monthly: monthly, price_hourly: hourly };
  return { ...facts, transfer: vcpus * 2, regions: OPEN, available: true, description: 'Basic', ...changes };
}

export const SIZES: Size[] = [
  size('s-1vcpu-512mb-10gb', 1, 512, 10, 4, { regions: ['nyc1', 'ams3', 'sgp1', 'sfo3', 'fra1'] }),
  size('s-1vcpu-1gb', 1, 1_024, 25, 6),
  size('s-1vcpu-2gb', 1, 2_048, 50, 12),
  size('s-2vcpu-2gb', 2, 2_048, 60, 18),
  size('s-2vcpu-4gb', 2, 4_096, 80, 24),
  size('s-4vcpu-8gb', 4, 8_192, 160, 48),
  size('s-8vcpu-16gb', 8, 16_384, 320, 96),
  size('c-2', 2, 4_096, 25, 42, { description: 'CPU-Optimized' }),
  size('g-2vcpu-8gb', 2, 8_192, 25, 63, { description: 'General Purpose', regions: ['nyc3', 'fra1', 'ams3'] }),
  size('gd-40vcpu-160gb', 40, 163_840, 1_000, 1_360, {
    description: 'General Purpose 2x SSD',
    available: false,
    regions: [],
  }),
];

interface Image {
  id: number;
  /** Images of the account itself have none. */
  slug: string | null;
  distribution: string;
  name: string;
  description: string;
  type: 'base' | 'snapshot';
  public: boolean;
  /** GB. */
  min_disk_size: number;
  regions: string[];
}

const EVERYWHERE = REGIONS.map(({ slug }) => slug);

function base(id: number, slug: string, distribution: string, name: string): Image {
  const facts = { id, slug, distribution, name, description: `${distribution} ${name}` };
  return { ...facts, type: 'base', public: true, min_disk_size: 7, regions: EVERYWHERE };
}

function application(id: number, slug: string, name: string): Image {
  const facts = { id, slug, distribution: 'Ubuntu', name, description: name };
  return { ...facts, type: 'snapshot', public: true, min_disk_size: 25, regions: EVERYWHERE };
}

/** A snapshot of the account: only where it was made. */
function own(id: number, distribution: string, name: string): Image {
  const facts = { id, slug: null, distribution, name, description: '' };
  return { ...facts, type: 'snapshot', public: false, min_disk_size: 25, regions: ['fra1'] };
}

export const IMAGES: Image[] = [
  base(195_932_981, 'debian-12-x64', 'Debian', '12 x64'),
  base(205_932_982, 'debian-13-x64', 'Debian', '13 x64'),
  base(195_932_983, 'ubuntu-24-04-x64', 'Ubuntu', '24.04 (LTS) x64'),
  base(195_932_985, 'ubuntu-22-04-x64', 'Ubuntu', '22.04 (LTS) x64'),
  base(195_932_986, 'ubuntu-25-10-x64', 'Ubuntu', '25.10 x64'),
  base(195_932_987, 'fedora-42-x64', 'Fedora', '42 x64'),
  application(195_932_984, 'docker-20-04', 'Docker 28.1.1 on Ubuntu 22.04'),
  application(195_932_988, 'wordpress-20-04', 'WordPress 6.8 on Ubuntu 24.04'),
  own(195_990_001, 'Debian', 'our Debian'),
  own(195_990_002, 'Fedora', 'our Fedora'),
];

/** By slug, or by id. */
export function imageOf(wanted: string | number): Image | undefined {
  return IMAGES.find(({ slug, id }) => slug === wanted || String(id) === String(wanted));
}
