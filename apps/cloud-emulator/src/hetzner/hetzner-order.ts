import type { FastifyReply } from 'fastify';
import type { Project } from '../project';
import { IMAGES, LOCATIONS, SERVER_TYPES } from './hetzner.catalogue';
import { hetznerError, invalid } from './hetzner.errors';
import { serverTypeView } from './hetzner.views';

export interface CreateServerBody {
  name?: string;
  server_type?: string | number;
  location?: string;
  image?: string | number;
  ssh_keys?: (string | number)[];
  user_data?: string;
  labels?: Record<string, string>;
}

const HOSTNAME =
  /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([A-Za-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const MAX_USER_DATA = 32_768;

/** Refuses what Hetzner would refuse; undefined when the order stands. */
export function checkOrder(project: Project, body: CreateServerBody, reply: FastifyReply): FastifyReply | undefined {
  const { name = '', user_data: userData = '', labels = {}, ssh_keys: keys = [] } = body;
  if (!HOSTNAME.test(name)) return invalid(reply, 'name', 'Name must be a valid hostname.');
  if (Buffer.byteLength(userData) > MAX_USER_DATA) {
    return invalid(reply, 'user_data', `Length must be between 0 and ${MAX_USER_DATA}.`);
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key) || key.startsWith('hetzner.cloud/') || !LABEL_VALUE.test(value)) {
      return invalid(reply, 'labels', 'Labels must be valid.');
    }
  }
  if (!IMAGES.some((image) => image.name === body.image || image.id === Number(body.image))) {
    return invalid(reply, 'image', 'image not found');
  }
  if (keys.some((key) => !project.keys.has(Number(key)))) return hetznerError(reply, 'not_found', 'SSH key not found');
  const refusal = checkPlace(body, reply);
  if (refusal) return refusal;
  if ([...project.servers.values()].some((server) => server.name === name)) {
    return hetznerError(reply, 'uniqueness_error', 'server name is already used', {
      fields: [{ name: 'name', messages: [] }],
    });
  }
  return undefined;
}

function checkPlace({ server_type: wanted, location = 'nbg1' }: CreateServerBody, reply: FastifyReply) {
  const type = SERVER_TYPES.find(({ id, name }) => name === wanted || id === Number(wanted));
  if (!type) return invalid(reply, 'server_type', 'server type not found');
  if (!LOCATIONS.some(({ name }) => name === location)) return invalid(reply, 'location', 'location not found');
  const place = serverTypeView(type).locations.find(({ name }) => name === location);
  if (!place) return hetznerError(reply, 'invalid_input', 'unsupported location for server type');
  if (place.deprecation) return hetznerError(reply, 'invalid_input', 'server type is deprecated');
  if (!place.available) return hetznerError(reply, 'resource_unavailable', 'error during placement');
  return undefined;
}
