import { DIGITAL_OCEAN_LIMITS, DigitalOceanProvider } from '@agent-controller/cloud-digital-ocean';
import { HETZNER_LIMITS, HetznerProvider } from '@agent-controller/cloud-hetzner';
import type { CloudProvider } from '@agent-controller/cloud-port';
import type { ProviderBudgets } from '@agent-controller/provisioning-workflow';
import type { Env } from './env';

/** The providers that have a token, each behind the gate of its project. A new provider is a few more lines here. */
export function cloudProviders(env: Env, budgets: ProviderBudgets): CloudProvider[] {
  const { HETZNER_API_TOKEN: hetzner, DIGITALOCEAN_API_TOKEN: digitalOcean } = env;
  const timeoutMs = env.PROVIDER_TIMEOUT_SECONDS * 1000;
  const providers: CloudProvider[] = [];
  if (hetzner) {
    const gate = budgets.gate('hetzner', hetzner, HETZNER_LIMITS);
    providers.push(new HetznerProvider({ token: hetzner, baseUrl: env.HETZNER_API_BASE_URL, timeoutMs, gate }));
  }
  if (digitalOcean) {
    const gate = budgets.gate('digital-ocean', digitalOcean, DIGITAL_OCEAN_LIMITS);
    providers.push(
      new DigitalOceanProvider({ token: digitalOcean, baseUrl: env.DIGITALOCEAN_API_BASE_URL, timeoutMs, gate }),
    );
  }
  return providers;
}
