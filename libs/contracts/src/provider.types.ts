export type ProviderType = 'hetzner' | 'digital-ocean';

export interface ProviderView {
  type: ProviderType;
  displayName: string;
}

export interface ServerTypeLocationView {
  id: string;
  available: boolean;
  priceMonthly: number;
  priceHourly: number;
  /** ISO 8601; null when no end is announced. */
  deprecatedAfter: string | null;
}

/** Prices as billed (gross where the provider tells net from gross), of the server alone; memory and disk in GB. */
export interface ServerTypeView {
  id: string;
  name: string;
  cores: number;
  memory: number;
  disk: number;
  architecture: 'x86' | 'arm';
  /** The lowest of all locations, or of the one asked for. */
  priceMonthly: number;
  priceHourly: number;
  /** ISO 4217. */
  currency: string;
  description: string;
  locations: ServerTypeLocationView[];
}

export interface LocationView {
  id: string;
  name: string;
  country: string;
  city: string;
  available: boolean;
}
