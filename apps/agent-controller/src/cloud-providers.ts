import { DigitalOceanProvider } from '@agent-controller/cloud-digital-ocean';
import { HetznerProvider } from '@agent-controller/cloud-hetzner';
import type { CloudProvider } from '@agent-controller/cloud-port';
import type { Env } from './env';

/** The providers that have a token. A new provider is one more line here. */
export function cloudProviders(env: Env): CloudProvider[] {
  const { HETZNER_API_TOKEN: hetzner, DIGITALOCEAN_API_TOKEN: digitalOcean } = env;
  const timeoutMs = env.PROVIDER_TIMEOUT_SECONDS * 1000;
  return [
    ...(hetzner ? [new HetznerProvider({ token: hetzner, baseUrl: env.HETZNER_API_BASE_URL, timeoutMs })] : []),
    ...(digitalOcean
      ? [new DigitalOceanProvider({ token: digitalOcean, baseUrl: env.DIGITALOCEAN_API_BASE_URL, timeoutMs })]
      : []),
  ];
}
