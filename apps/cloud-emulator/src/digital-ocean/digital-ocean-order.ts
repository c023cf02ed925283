import type { FastifyReply } from 'fastify';
import type { Project } from '../project';
import { IMAGES, REGIONS, SIZES } from './digital-ocean.catalogue';
import { unprocessable } from './digital-ocean.errors';

export interface CreateDropletBody {
  name?: string;
  region?: string;
  size?: string;
  image?: string | number;
  ssh_keys?: (string | number)[];
  user_data?: string;
  tags?: string[];
}

const MAX_USER_DATA = 65_536;

/** Refuses what DigitalOcean would refuse; undefined when the order stands. Names need not be unique. */
export function checkOrder(project: Project, body: CreateDropletBody, reply: FastifyReply): FastifyReply | undefined {
  const { name = '', region, size, image, ssh_keys: keys = [], user_data: userData = '', tags = [] } = body;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9.-]*$/.test(name)) {
    return unprocessable(reply, 'Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)');
  }
  const found = SIZES.find(({ slug }) => slug === size);
  if (!found) return unprocessable(reply, 'You specified an invalid size for Droplet creation.');
  if (!IMAGES.some(({ slug, id }) => slug === image || id === image)) {
    return unprocessable(reply, 'You specified an invalid image for Droplet creation.');
  }
  if (!REGIONS.some(({ slug, available }) => slug === region && available))
    return unprocessable(reply, 'Region is not available');
  if (!found.available || !found.regions.includes(region ?? '')) {
    return unprocessable(reply, 'Size is not available in this region.');
  }
  if (Buffer.byteLength(userData) > MAX_USER_DATA) return unprocessable(reply, 'User data must be less than 64KiB.');
  if (!tags.every((tag) => /^[A-Za-z0-9_:-]{1,255}$/.test(tag))) {
    return unprocessable(reply, 'Tag names may contain letters, numbers, colons, dashes, and underscores.');
  }
  const known = [...project.keys.values()];
  const isKnown = (key: string | number) =>
    known.some(({ id, fingerprint }) => id === Number(key) || fingerprint === key);
  if (!keys.every(isKnown))
    return unprocessable(reply, `${String(keys[0])} are invalid key identifiers for Droplet creation.`);
  return undefined;
}
