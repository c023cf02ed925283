import { FIREWALL_NAME_PREFIX, type CloudServer, type ServerStatus } from '@agent-controller/cloud-port';
import type { DropletAnswer } from './digital-ocean-answer.schemas';
import { lookTagOf, ownerFromTags } from './digital-ocean-owner.tags';

const STATUS: Record<string, ServerStatus> = { new: 'creating', active: 'running', off: 'stopped', archive: 'stopped' };

type Addresses = NonNullable<DropletAnswer['networks']>['v4'];

export function toCloudServer(droplet: DropletAnswer): CloudServer {
  const { v4, v6 } = droplet.networks ?? {};
  return {
    id: String(droplet.id),
    name: droplet.name,
    status: STATUS[droplet.status] ?? 'unknown',
    providerStatus: droplet.status,
    serverType: droplet.size_slug,
    location: droplet.region.slug,
    image: droplet.image ? (droplet.image.slug ?? String(droplet.image.id)) : null,
    publicIpv4: addressOf(v4, 'public'),
    publicIpv6: addressOf(v6, 'public'),
    privateIpv4: addressOf(v4, 'private'),
    createdAt: new Date(droplet.created_at),
    // Those of ours, by the tags that they are bound to: others are not told with a droplet.
    firewalls: (droplet.tags ?? []).filter((tag) => tag.startsWith(FIREWALL_NAME_PREFIX)),
    lookGroup: lookTagOf(droplet.tags ?? []),
    owner: ownerFromTags(droplet.tags ?? []),
  };
}

/** By type, never by place: the private address may come first, and at first there is none at all. */
function addressOf(addresses: Addresses, wanted: string): string | null {
  return addresses?.find(({ type }) => type === wanted)?.ip_address ?? null;
}
