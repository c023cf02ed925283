import type { CloudServer, ServerStatus } from '@agent-controller/cloud-port';
import type { HetznerServer } from './hetzner-answer.schemas';
import { ownerFromLabels } from './hetzner-owner.labels';

const STATUS: Record<string, ServerStatus> = {
  initializing: 'creating',
  starting: 'creating',
  running: 'running',
  stopping: 'stopped',
  off: 'stopped',
  deleting: 'deleting',
};

export function toCloudServer(server: HetznerServer): CloudServer {
  return {
    id: String(server.id),
    name: server.name,
    status: STATUS[server.status] ?? 'unknown',
    providerStatus: server.status,
    serverType: server.server_type.name,
    location: server.location.name,
    image: server.image ? (server.image.name ?? String(server.image.id)) : null,
    publicIpv4: server.public_net.ipv4?.ip ?? null,
    publicIpv6: hostOfNetwork(server.public_net.ipv6?.ip),
    privateIpv4: server.private_net?.[0]?.ip ?? null,
    createdAt: new Date(server.created),
    firewalls: (server.public_net.firewalls ?? []).map(({ id }) => String(id)),
    owner: ownerFromLabels(server.labels ?? {}),
  };
}

/** Hetzner tells the server's /64; the server itself is its `::1`. */
function hostOfNetwork(network: string | undefined): string | null {
  if (!network) return null;
  const [address = '', prefix] = network.split('/');
  return prefix !== undefined && address.endsWith('::') ? `${address}1` : address;
}
