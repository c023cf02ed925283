import { z } from 'zod';
import type { Project, ServerRecord } from '../project';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { LOCATIONS, SERVER_TYPES, type HetznerType } from './hetzner.catalogue';
import { IMAGES } from './hetzner.images';
import { serverTypeView } from './hetzner.views';

const HOSTNAME =
  /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([A-Za-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const MAX_USER_DATA = 32_768;
const DEFAULT_LOCATION = 'nbg1';

const idOrName = z.union([z.string(), z.int()]);
const labelsSchema = z.record(z.string(), z.string()).default({});

const orderSchema = z.looseObject({
  name: z.string(),
  server_type: idOrName,
  image: idOrName,
  location: idOrName.default(DEFAULT_LOCATION),
  ssh_keys: z.array(idOrName).default([]),
  user_data: z.string().default(''),
  labels: labelsSchema,
  firewalls: z.array(z.object({ firewall: z.int() })).default([]),
  // Taken for a location it would be another place, or none.
  datacenter: z.undefined('datacenters are gone: use location').optional(),
});

export interface HetznerOrder extends Pick<
  ServerRecord,
  'name' | 'typeId' | 'locationId' | 'imageName' | 'labels' | 'sshKeyIds' | 'firewallIds'
> {
  userData: string;
}

/** @throws HetznerRefusalError for what Hetzner would refuse */
export function readOrder(project: Project, body: unknown, serverLimit: number): HetznerOrder {
  const order = parsed(orderSchema, body);
  const { name, user_data: userData, firewalls } = order;
  checkHostname(name);
  if (Buffer.byteLength(userData) > MAX_USER_DATA) {
    throw HetznerRefusalError.invalidInput('user_data', `Length must be between 0 and ${MAX_USER_DATA}.`);
  }
  const labels = checkedLabels(order.labels);
  const sshKeyIds = order.ssh_keys.map((key) => {
    const found = byIdOrName([...project.keys.values()], key);
    if (!found) throw new HetznerRefusalError('not_found', 'SSH key not found');
    return found.id;
  });
  const firewallIds = firewalls.map(({ firewall }) => firewall);
  if (!firewallIds.every((id) => project.firewalls.has(id))) {
    throw new HetznerRefusalError('not_found', 'firewall not found');
  }
  const { type, location } = readPlace(order.server_type, order.location);
  const imageName = readImage(order.image, type);
  checkServerName(project, name);
  checkRoom(project, serverLimit);
  return { name, labels, sshKeyIds, firewallIds, imageName, userData, typeId: type.name, locationId: location.name };
}

/** @throws HetznerRefusalError when it is no hostname, or another server's name */
export function checkServerName(project: Project, name: unknown): string {
  checkHostname(name);
  if ([...project.servers.values()].some((server) => server.name === name)) {
    const details = { fields: [{ name: 'name', messages: [] }] };
    throw new HetznerRefusalError('uniqueness_error', 'server name is already used', details);
  }
  return name;
}

function checkHostname(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !HOSTNAME.test(name)) {
    throw HetznerRefusalError.invalidInput('name', 'Name must be a valid hostname.');
  }
}

/** @throws HetznerRefusalError `invalid_input` when they are no map of texts, or not as Hetzner wants them */
export function readLabels(labels: unknown): Record<string, string> {
  return checkedLabels(parsed(z.object({ labels: labelsSchema }), { labels }).labels);
}

function checkedLabels(labels: Record<string, string>): Record<string, string> {
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key) || key.startsWith('hetzner.cloud/') || !LABEL_VALUE.test(value)) {
      throw HetznerRefusalError.invalidInput('labels', 'Labels must be valid.');
    }
  }
  return labels;
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body ?? {});
  if (success) return data;
  const [issue] = error.issues;
  throw HetznerRefusalError.invalidInput(String(issue?.path[0] ?? 'body'), issue?.message ?? 'invalid');
}

/** Digits are an id, also in quotes. */
function byIdOrName<T extends { id: number; name: string | null }>(
  all: readonly T[],
  wanted: string | number,
): T | undefined {
  return all.find(({ id, name }) => name === wanted || String(id) === String(wanted));
}

function readPlace(wantedType: string | number, wantedLocation: string | number) {
  const type = byIdOrName(SERVER_TYPES, wantedType);
  if (!type) throw HetznerRefusalError.invalidInput('server_type', 'server type not found');
  const location = byIdOrName(LOCATIONS, wantedLocation);
  if (!location) throw HetznerRefusalError.invalidInput('location', 'location not found');
  const place = serverTypeView(type).locations.find(({ name }) => name === location.name);
  if (!place) throw new HetznerRefusalError('invalid_input', 'unsupported location for server type');
  if (place.deprecation) throw new HetznerRefusalError('invalid_input', 'server type is deprecated');
  if (!place.available) throw new HetznerRefusalError('resource_unavailable', 'error during placement');
  return { type, location };
}

/** A name means the image for the type's architecture. @returns what the order may name the image by */
function readImage(wanted: string | number, { architecture, disk }: HetznerType): string {
  const image = byIdOrName(
    IMAGES.filter((each) => each.architecture === architecture),
    wanted,
  );
  const isOther = byIdOrName(IMAGES, wanted) !== undefined;
  const { invalidInput } = HetznerRefusalError;
  if (!image) throw invalidInput('image', isOther ? 'image is for another architecture' : 'image not found');
  if (image.disk_size > disk) throw invalidInput('image', 'image disk is bigger than server type disk');
  return image.name ?? String(image.id);
}

function checkRoom(project: Project, serverLimit: number): void {
  if (project.servers.size >= serverLimit) {
    const details = { limits: [{ name: 'server_limit' }] };
    throw new HetznerRefusalError('resource_limit_exceeded', 'server limit exceeded', details);
  }
}
