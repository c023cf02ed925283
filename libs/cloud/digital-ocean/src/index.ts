export { DIGITAL_OCEAN_LIMITS, type DigitalOceanOptions } from './digital-ocean.client';
export { DigitalOceanProvider } from './digital-ocean.provider';
