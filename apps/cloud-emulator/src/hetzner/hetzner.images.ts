export interface HetznerImage {
  id: number;
  /** Snapshots have none. */
  name: string | null;
  type: 'system' | 'app' | 'snapshot';
  os_flavor: string;
  os_version: string | null;
  description: string;
  architecture: 'x86' | 'arm';
  /** GB; no server type with a smaller disk takes it. */
  disk_size: number;
  /** ISO 8601: listed only for those who ask for it. */
  deprecated: string | null;
}

type Named = [name: string, os_flavor: string, os_version: string | null, description: string, deprecated?: string];

const SYSTEMS: Named[] = [
  ['debian-12', 'debian', '12', 'Debian 12'],
  ['debian-13', 'debian', '13', 'Debian 13'],
  ['ubuntu-24.04', 'ubuntu', '24.04', 'Ubuntu 24.04'],
  ['ubuntu-22.04', 'ubuntu', '22.04', 'Ubuntu 22.04'],
  ['debian-11', 'debian', '11', 'Debian 11', '2026-10-01T00:00:00+00:00'],
  ['alma-9', 'alma', '9', 'AlmaLinux 9'],
  ['alma-10', 'alma', '10', 'AlmaLinux 10'],
  ['centos-stream-9', 'centos', 'stream9', 'CentOS Stream 9'],
  ['centos-stream-10', 'centos', 'stream10', 'CentOS Stream 10'],
  ['fedora-42', 'fedora', '42', 'Fedora 42'],
  ['opensuse-15', 'opensuse', '15', 'openSUSE Leap 15'],
  ['rocky-9', 'rocky', '9', 'Rocky Linux 9'],
  ['rocky-10', 'rocky', '10', 'Rocky Linux 10'],
];

const APPS = (
  'docker-ce collab-tools coolify dokploy gitlab go jitsi lamp nextcloud owncast photoprism prometheus-grafana ruby ' +
  'rustdesk wireguard wordpress'
).split(' ');

const DISK = 5;

/** Each name stands for two images, one for each architecture. All need more than one page of 50. */
const NAMED: HetznerImage[] = [
  ...SYSTEMS.map(([name, os_flavor, os_version, description, deprecated = null], index) => ({
    ...{ id: 310 + index, name, type: 'system' as const, os_flavor, os_version, description },
    ...{ disk_size: DISK, deprecated },
  })),
  ...APPS.map((name, index) => ({
    ...{ id: 350 + index, name, type: 'app' as const, os_flavor: 'ubuntu', os_version: '24.04', description: name },
    ...{ disk_size: DISK, deprecated: null },
  })),
].flatMap((image) => [
  { ...image, architecture: 'x86' as const },
  { ...image, id: image.id + 100, architecture: 'arm' as const },
]);

/** Every project has these: a server of the type cx33 was their source. */
export const SNAPSHOTS: HetznerImage[] = [
  { id: 900_001, os_flavor: 'debian', os_version: '13', description: 'our Debian' },
  { id: 900_002, os_flavor: 'rocky', os_version: '9', description: 'our Rocky' },
].map((image) => ({
  ...image,
  name: null,
  type: 'snapshot',
  architecture: 'x86',
  disk_size: 80,
  deprecated: null,
}));

export const IMAGES: HetznerImage[] = [...NAMED, ...SNAPSHOTS];

/** What an order named the image by that a server was made from: its name, or a snapshot's id. */
export function imageOf(name: string, architecture: string | undefined): HetznerImage | undefined {
  const found = IMAGES.filter((each) => (each.name ?? String(each.id)) === name);
  return found.find((each) => each.architecture === architecture);
}
