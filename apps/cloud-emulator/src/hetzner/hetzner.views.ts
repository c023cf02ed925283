import type { ActionRecord, FirewallRecord, KeyRecord, Project, ServerRecord } from '../project';
import {
  ADDRESS_PRICE_MONTHLY,
  LOCATIONS,
  SERVER_TYPES,
  VAT_RATE,
  monthlyPrice,
  type HetznerType,
} from './hetzner.catalogue';
import { imageOf, type HetznerImage } from './hetzner.images';

const HOURS_PER_MONTH = 730;
const ANNOUNCED = '2025-10-01T00:00:00+00:00';

/** Hetzner writes times with an offset, and without fractions. */
export function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, '+00:00');
}

function price(net: number) {
  return { net: net.toFixed(10), gross: (net * (1 + VAT_RATE)).toFixed(10) };
}

function prices(type: HetznerType) {
  return type.locations.map((location) => ({
    location,
    price_hourly: price(monthlyPrice(type, location) / HOURS_PER_MONTH),
    price_monthly: price(monthlyPrice(type, location)),
    included_traffic: 21_990_232_555_520,
    price_per_tb_traffic: price(1),
  }));
}

export function serverTypeView(type: HetznerType) {
  const { id, name, cores, memory, disk, cpu_type, architecture, category } = type;
  const deprecation = type.unavailableAfter ? { announced: ANNOUNCED, unavailable_after: type.unavailableAfter } : null;
  return {
    id,
    name,
    description: name.toUpperCase(),
    cores,
    memory,
    disk,
    cpu_type,
    architecture,
    category,
    storage_type: 'local',
    deprecated: deprecation !== null,
    deprecation,
    locations: type.locations.map((location) => ({
      id: LOCATIONS.find((each) => each.name === location)?.id ?? 0,
      name: location,
      deprecation,
      available: deprecation === null && !(type.unavailableAt ?? []).includes(location),
      recommended: false,
    })),
    prices: prices(type),
  };
}

export function imageView(image: HetznerImage) {
  const isSnapshot = image.type === 'snapshot';
  return {
    ...image,
    status: 'available',
    image_size: isSnapshot ? 2.3 : null,
    created: '2025-08-12T07:00:00+00:00',
    created_from: isSnapshot ? { id: 1, name: 'source' } : null,
    bound_to: null,
    rapid_deploy: !isSnapshot,
    protection: { delete: false },
    deleted: null,
    labels: {},
  };
}

export function statusOf({ machine }: ServerRecord): string {
  return { booting: 'initializing', running: 'running', deleting: 'deleting' }[machine.life];
}

/** As since 2026-07-01: with `location`, without `datacenter`. */
export function serverView(server: ServerRecord) {
  const type = SERVER_TYPES.find(({ name }) => name === server.typeId);
  const image = imageOf(server.imageName, type?.architecture);
  const network = `2001:db8:${(server.id & 0xffff).toString(16)}:1::`;
  return {
    id: server.id,
    name: server.name,
    status: statusOf(server),
    created: time(server.createdAt),
    public_net: {
      ipv4: {
        id: server.id + 1,
        ip: server.address,
        blocked: false,
        dns_ptr: `static.${server.address}.clients.example.com`,
      },
      ipv6: { id: server.id + 2, ip: `${network}/64`, blocked: false, dns_ptr: [] },
      floating_ips: [],
      firewalls: server.firewallIds.map((id) => ({ id, status: 'applied' })),
    },
    private_net: [],
    server_type: type ? serverTypeView(type) : null,
    location: LOCATIONS.find(({ name }) => name === server.locationId),
    image: image ? imageView(image) : null,
    iso: null,
    rescue_enabled: false,
    locked: false,
    backup_window: null,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    included_traffic: 21_990_232_555_520,
    protection: { delete: false, rebuild: false },
    labels: server.labels,
    volumes: [],
    load_balancers: [],
    primary_disk_size: type?.disk ?? 0,
    placement_group: null,
  };
}

export function keyView({ id, name, fingerprint, publicKey, labels, createdAt }: KeyRecord) {
  return { id, name, fingerprint, public_key: publicKey, labels, created: time(createdAt) };
}

/** What a rule may leave out in a request stands in every answer. */
const NO_RULE = { port: null, source_ips: [], destination_ips: [], description: null };

export function firewallView({ id, name, body, createdAt }: FirewallRecord, project: Project) {
  const servers = [...project.servers.values()].filter(({ firewallIds }) => firewallIds.includes(id));
  return {
    id,
    name,
    labels: body['labels'] ?? {},
    created: time(createdAt),
    rules: ((body['rules'] ?? []) as object[]).map((rule) => ({ ...NO_RULE, ...rule })),
    applied_to: servers.map((server) => ({ type: 'server', server: { id: server.id } })),
  };
}

export function actionView({ id, command, server, startedAt, state }: ActionRecord) {
  const now = state();
  return {
    id,
    command,
    status: { running: 'running', done: 'success', failed: 'error' }[now],
    progress: now === 'running' ? 0 : 100,
    started: time(startedAt),
    finished: now === 'running' ? null : time(new Date()),
    resources: [{ id: server.id, type: 'server' }],
    error: now === 'failed' ? { code: 'placement_error', message: 'error during placement' } : null,
  };
}

export function pricingView() {
  const perLocation = (net: number) =>
    LOCATIONS.map(({ name }) => ({
      location: name,
      price_hourly: price(net / HOURS_PER_MONTH),
      price_monthly: price(net),
    }));
  const floating = LOCATIONS.map(({ name }) => ({ location: name, price_monthly: price(3) }));
  return {
    currency: 'EUR',
    vat_rate: (VAT_RATE * 100).toFixed(10),
    image: { price_per_gb_month: price(0.011) },
    floating_ip: { price_monthly: price(3) },
    floating_ips: [{ type: 'ipv4', prices: floating }],
    load_balancer_types: [],
    primary_ips: [
      { type: 'ipv4', prices: perLocation(ADDRESS_PRICE_MONTHLY) },
      { type: 'ipv6', prices: perLocation(0) },
    ],
    server_backup: { percentage: '20.0000000000' },
    server_types: SERVER_TYPES.map((type) => ({ id: type.id, name: type.name, prices: prices(type) })),
    volume: { price_per_gb_month: price(0.044) },
  };
}
