import { z } from 'zod';
import type { Project, ServerRecord } from '../project';
import { DigitalOceanRefusalError } from './digital-ocean-refusal.error';
import { REGIONS, SIZES, imageOf } from './digital-ocean.catalogue';

const MAX_USER_DATA = 65_536;
const TAG = /^[A-Za-z0-9_:-]{1,255}$/;

const idOrName = z.union([z.string(), z.int()]);
const orderSchema = z.looseObject({
  name: z.string(),
  region: z.string(),
  size: z.string(),
  image: idOrName,
  ssh_keys: z.array(idOrName).nullish(),
  user_data: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
});

export interface DropletOrder extends Pick<
  ServerRecord,
  'name' | 'typeId' | 'locationId' | 'imageName' | 'tags' | 'sshKeyIds'
> {
  userData: string;
}

/** Names need not be unique. @throws DigitalOceanRefusalError for what DigitalOcean would refuse */
export function readOrder(project: Project, body: unknown, serverLimit: number): DropletOrder {
  const { unprocessable } = DigitalOceanRefusalError;
  const { success, data, error } = orderSchema.safeParse(body ?? {});
  if (!success) throw unprocessable(`${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`);
  const { name, region, size } = data;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,254}$/.test(name)) {
    throw unprocessable('Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)');
  }
  checkPlace(size, region);
  const imageName = readImage(data.image, size, region);
  const userData = data.user_data ?? '';
  if (Buffer.byteLength(userData) > MAX_USER_DATA) throw unprocessable('User data must be less than 64KiB.');
  const tags = (data.tags ?? []).map(readTag);
  const sshKeyIds = (data.ssh_keys ?? []).map((key) => readKey(project, key));
  if (project.servers.size >= serverLimit) {
    throw unprocessable('creating this/these droplet(s) will exceed your droplet limit');
  }
  return { name, typeId: size, locationId: region, imageName, tags, sshKeyIds, userData };
}

/** @throws DigitalOceanRefusalError when it is no tag */
export function readTag(tag: unknown): string {
  if (typeof tag === 'string' && TAG.test(tag)) return tag;
  throw DigitalOceanRefusalError.unprocessable(
    'Tag names may contain letters, numbers, colons, dashes, and underscores.',
  );
}

function checkPlace(size: string, region: string): void {
  const { unprocessable } = DigitalOceanRefusalError;
  const found = SIZES.find(({ slug }) => slug === size);
  if (!found) throw unprocessable('You specified an invalid size for Droplet creation.');
  if (!REGIONS.some(({ slug, available }) => slug === region && available)) {
    throw unprocessable('Region is not available');
  }
  if (!found.available || !found.regions.includes(region)) {
    throw unprocessable('Size is not available in this region.');
  }
}

/** @returns what the order may name the image by */
function readImage(wanted: string | number, size: string, region: string): string {
  const { unprocessable } = DigitalOceanRefusalError;
  const image = imageOf(wanted);
  if (!image) throw unprocessable('You specified an invalid image for Droplet creation.');
  if (!image.regions.includes(region)) throw unprocessable('The image is not available in the selected region.');
  if (image.min_disk_size > (SIZES.find(({ slug }) => slug === size)?.disk ?? 0)) {
    throw unprocessable('The image requires a bigger disk than the selected size has.');
  }
  return image.slug ?? String(image.id);
}

function readKey(project: Project, wanted: string | number): number {
  const keys = [...project.keys.values()];
  const found = keys.find(({ id, fingerprint }) => String(id) === String(wanted) || fingerprint === wanted);
  if (found) return found.id;
  throw DigitalOceanRefusalError.unprocessable(`${wanted} are invalid key identifiers for Droplet creation.`);
}
