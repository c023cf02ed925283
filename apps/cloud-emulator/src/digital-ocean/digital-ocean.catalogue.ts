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

export const IMAGES = [
  { id: 195_932_981, slug: 'debian-12-x64', distribution: 'Debian', name: '12 x64', description: 'Debian 12 x64' },
  { id: 205_932_982, slug: 'debian-13-x64', distribution: 'Debian', name: '13 x64', description: 'Debian 13 x64' },
  {
    id: 195_932_983,
    slug: 'ubuntu-24-04-x64',
    distribution: 'Ubuntu',
    name: '24.04 (LTS) x64',
    description: 'Ubuntu 24.04',
  },
  { id: 195_932_984, slug: 'docker-20-04', distribution: 'Ubuntu', name: 'Docker', description: 'Docker on Ubuntu' },
];
