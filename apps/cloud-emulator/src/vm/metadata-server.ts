import { createServer } from 'node:http';
import type { Blueprint } from '../world';
import { GUEST } from './guest-network';
import { LoopbackServer } from './loopback-server';

/** The provider's metadata of one server, as far as cloud-init reads it. */
export class MetadataServer extends LoopbackServer {
  constructor(blueprint: Blueprint) {
    const answers = blueprint.provider === 'hetzner' ? hetzner(blueprint) : digitalOcean(blueprint);
    const server = createServer((request, response) => {
      const body = answers[(request.url ?? '').replace(/\/$/, '')];
      response.writeHead(body === undefined ? 404 : 200, { connection: 'close' }).end(body ?? 'not found');
    });
    super(server);
  }
}

function hetzner({ id, name, locationId, publicKeys, order }: Blueprint): Record<string, string> {
  // JSON is YAML, too.
  const metadata = {
    'availability-zone': `${locationId}-dc1`,
    hostname: name,
    'instance-id': id,
    'local-ipv4': '',
    'public-ipv4': order.address,
    'public-keys': publicKeys,
    region: 'eu-central',
    'network-config': {
      version: 1,
      config: [{ type: 'physical', name: 'eth0', mac_address: GUEST.mac, subnets: [{ type: 'dhcp', ipv4: true }] }],
    },
  };
  return {
    '/hetzner/v1/metadata': JSON.stringify(metadata),
    '/hetzner/v1/metadata/instance-id': String(id),
    '/hetzner/v1/userdata': order.userData,
  };
}

function digitalOcean({ id, name, locationId, publicKeys, order }: Blueprint): Record<string, string> {
  const ipv4 = { ip_address: GUEST.address, netmask: GUEST.netmask, gateway: GUEST.gateway };
  const metadata = {
    droplet_id: id,
    hostname: name,
    user_data: order.userData,
    vendor_data: '',
    public_keys: publicKeys,
    region: locationId,
    interfaces: { public: [{ mac: GUEST.mac, type: 'public', ipv4 }] },
    dns: { nameservers: [GUEST.nameserver] },
    floating_ip: { ipv4: { active: false } },
    tags: [],
  };
  return { '/metadata/v1.json': JSON.stringify(metadata), '/metadata/v1/user-data': order.userData };
}
