export { HETZNER_LIMITS, type HetznerOptions } from './hetzner.client';
export { HetznerProvider } from './hetzner.provider';
