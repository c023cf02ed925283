import { z } from 'zod';
import type { Project, ServerRecord } from '../project';
import { DigitalOceanRefusalError } from './digital-ocean-refusal.error';
import { IMAGES, REGIONS, SIZES } from './digital-ocean.catalogue';

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
  const image = IMAGES.find(({ slug, id }) => slug === data.image || String(id) === String(data.image));
  if (!image) throw unprocessable('You specified an invalid image for Droplet creation.');
  checkPlace(size, region);
  const userData = data.user_data ?? '';
  if (Buffer.byteLength(userData) > MAX_USER_DATA) throw unprocessable('User data must be less than 64KiB.');
  const tags = (data.tags ?? []).map(readTag);
  const sshKeyIds = (data.ssh_keys ?? []).map((key) => readKey(project, key));
  if (project.servers.size >= serverLimit) {
    throw unprocessable('creating this/these droplet(s) will exceed your droplet limit');
  }
  return { name, typeId: size, locationId: region, imageName: image.slug, tags, sshKeyIds, userData };
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

function readKey(project: Project, wanted: string | number): number {
  const keys = [...project.keys.values()];
  const found = keys.find(({ id, fingerprint }) => String(id) === String(wanted) || fingerprint === wanted);
  if (found) return found.id;
  throw DigitalOceanRefusalError.unprocessable(`${wanted} are invalid key identifiers for Droplet creation.`);
}
