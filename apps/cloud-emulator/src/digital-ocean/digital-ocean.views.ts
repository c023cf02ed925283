import type { ActionRecord, FirewallRecord, KeyRecord, Project, ServerRecord } from '../project';
import { REGIONS, SIZES, imageOf } from './digital-ocean.catalogue';

const PUBLIC_GATEWAY = '127.20.0.1';

export function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

export function regionView(slug: string) {
  const region = REGIONS.find((each) => each.slug === slug);
  const sizes = SIZES.filter((size) => size.regions.includes(slug)).map((size) => size.slug);
  return {
    name: slug,
    slug,
    available: false,
    ...region,
    features: ['backups', 'ipv6', 'metadata', 'install_agent', 'storage'],
    sizes,
  };
}

export function imageView(name: string) {
  return {
    ...imageOf(name),
    created_at: '2025-08-12T07:00:00Z',
    size_gigabytes: 0.5,
    tags: [],
    status: 'available',
  };
}

/** A new droplet has no addresses; later the private one may be listed first, as here. */
export function dropletView(server: ServerRecord) {
  const size = SIZES.find(({ slug }) => slug === server.typeId);
  const isNew = server.machine.life === 'booting';
  const networks = [
    { ip_address: server.privateAddress, netmask: '255.0.0.0', gateway: '10.0.0.1', type: 'private' },
    { ip_address: server.address, netmask: '255.255.0.0', gateway: PUBLIC_GATEWAY, type: 'public' },
  ];
  return {
    id: server.id,
    name: server.name,
    memory: size?.memory ?? 0,
    vcpus: size?.vcpus ?? 0,
    disk: size?.disk ?? 0,
    locked: isNew,
    status: isNew ? 'new' : 'active',
    kernel: null,
    created_at: time(server.createdAt),
    features: ['private_networking'],
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [],
    image: imageView(server.imageName),
    volume_ids: [],
    size,
    size_slug: server.typeId,
    networks: { v4: isNew ? [] : networks, v6: [] },
    region: regionView(server.locationId),
    tags: server.tags,
    vpc_uuid: '760e09ef-dc84-11e8-981e-3cfdfeaae000',
  };
}

export function keyView({ id, name, fingerprint, publicKey }: KeyRecord) {
  return { id, name, fingerprint, public_key: publicKey };
}

export function tagView(name: string, project: Project) {
  const count = [...project.servers.values()].filter(({ tags }) => tags.includes(name)).length;
  return { name, resources: { count, droplets: { count } } };
}

/** Firewalls have a UUID, unlike everything else here. */
export function firewallId({ id }: FirewallRecord): string {
  return `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
}

export function firewallView(record: FirewallRecord) {
  return {
    ...record.body,
    id: firewallId(record),
    status: 'succeeded',
    created_at: time(record.createdAt),
    pending_changes: [],
  };
}

export function actionView({ id, command, server, startedAt, state }: ActionRecord) {
  const now = state();
  return {
    id,
    status: { running: 'in-progress', done: 'completed', failed: 'errored' }[now],
    type: command,
    started_at: time(startedAt),
    completed_at: now === 'running' ? null : time(new Date()),
    resource_id: server.id,
    resource_type: 'droplet',
    region: regionView(server.locationId),
    region_slug: server.locationId,
  };
}
