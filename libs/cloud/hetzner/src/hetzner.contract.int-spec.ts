import { describeCloudProviderContract, type KnownDifference } from '@agent-controller/cloud-port/testing';
import { HetznerProvider } from './hetzner.provider';

const differences: KnownDifference[] = [
  {
    why: 'a server has no datacenter since 2026-07-01',
    correct({ components }) {
      const server = components.schemas?.server as { required: string[] };
      server.required = server.required.filter((name) => name !== 'datacenter');
    },
  },
  {
    why: "ssh_keys takes ids as numbers, as the description's words say and its type does not",
    correct({ components }) {
      const request = components.schemas?.create_server_request as { properties: { ssh_keys: { items: unknown } } };
      request.properties.ssh_keys.items = { type: ['string', 'integer'] };
    },
  },
];

describeCloudProviderContract('hetzner', {
  apiPath: '/hetzner/v1',
  image: 'debian-13',
  dockerImage: 'docker-ce',
  ownImage: '900001',
  uniqueNames: true,
  openapi: { file: 'hetzner.json', pathPrefix: '/hetzner/v1', differences },
  createProvider: (options) => new HetznerProvider(options),
});
