export { type DigitalOceanOptions } from './digital-ocean.client';
export { DigitalOceanProvider } from './digital-ocean.provider';
