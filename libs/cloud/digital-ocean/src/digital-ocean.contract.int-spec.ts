import { BARE_ESCAPES, describeCloudProviderContract } from '@agent-controller/cloud-port/testing';
import { DigitalOceanProvider } from './digital-ocean.provider';

describeCloudProviderContract('digital-ocean', {
  apiPath: '/digitalocean/v2',
  image: 'debian-13-x64',
  dockerImage: 'docker-20-04',
  ownImage: '195990001',
  uniqueNames: false,
  openapi: { file: 'digitalocean.json', pathPrefix: '/digitalocean', differences: [BARE_ESCAPES] },
  createProvider: (options) => new DigitalOceanProvider(options),
});
