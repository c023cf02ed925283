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

/** What a server can be made from; a name has an entry for each architecture. */
export interface ServerImageView {
  /** For `image` in a request: the provider's name, or the number of an image that has none. */
  id: string;
  description: string;
  /** Lower case: `debian` or `ubuntu`. */
  osFamily: string;
  /** Null when the provider does not tell. */
  osVersion: string | null;
  architecture: 'x86' | 'arm';
  /** Docker need not be installed on it: the server is ready sooner. */
  hasDocker: boolean;
  /** Whether the boot lab has shown that a server from it gets ready; the others are meant to work. */
  proven: boolean;
  /** Of the account itself, such as a snapshot. */
  isOwn: boolean;
  isDeprecated: boolean;
  /** GB. */
  minDisk: number;
  /** Ids of the locations that have it; null when all do. */
  locations: string[] | null;
}

export interface LocationView {
  id: string;
  name: string;
  country: string;
  city: string;
  available: boolean;
}
