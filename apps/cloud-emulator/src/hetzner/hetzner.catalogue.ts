/** Locations and types as of 2026; prices are net, per month, in euros. */
export const VAT_RATE = 0.19;
export const ADDRESS_PRICE_MONTHLY = 0.5;

export const LOCATIONS = [
  {
    id: 1,
    name: 'fsn1',
    description: 'Falkenstein DC Park 1',
    country: 'DE',
    city: 'Falkenstein',
    latitude: 50.47612,
    longitude: 12.370071,
    network_zone: 'eu-central',
  },
  {
    id: 2,
    name: 'nbg1',
    description: 'Nuremberg DC Park 1',
    country: 'DE',
    city: 'Nuremberg',
    latitude: 49.452102,
    longitude: 11.076665,
    network_zone: 'eu-central',
  },
  {
    id: 3,
    name: 'hel1',
    description: 'Helsinki DC Park 1',
    country: 'FI',
    city: 'Helsinki',
    latitude: 60.169855,
    longitude: 24.938379,
    network_zone: 'eu-central',
  },
  {
    id: 4,
    name: 'ash',
    description: 'Ashburn, VA',
    country: 'US',
    city: 'Ashburn, VA',
    latitude: 39.045821,
    longitude: -77.487073,
    network_zone: 'us-east',
  },
  {
    id: 5,
    name: 'hil',
    description: 'Hillsboro, OR',
    country: 'US',
    city: 'Hillsboro, OR',
    latitude: 45.54222,
    longitude: -122.951924,
    network_zone: 'us-west',
  },
  {
    id: 6,
    name: 'sin',
    description: 'Singapore',
    country: 'SG',
    city: 'Singapore',
    latitude: 1.283333,
    longitude: 103.833333,
    network_zone: 'ap-southeast',
  },
];

export interface HetznerType {
  id: number;
  name: string;
  cores: number;
  memory: number;
  disk: number;
  cpu_type: 'shared' | 'dedicated';
  architecture: 'x86' | 'arm';
  category: string;
  priceMonthly: number;
  /** Where it costs something else. */
  priceAt?: Record<string, number>;
  locations: string[];
  unavailableAt?: string[];
  /** ISO 8601: no longer to be ordered from then on. */
  unavailableAfter?: string;
}

const EU = ['fsn1', 'nbg1', 'hel1'];
const shared = { cpu_type: 'shared', architecture: 'x86' } as const;

export const SERVER_TYPES: HetznerType[] = [
  {
    id: 114,
    name: 'cx23',
    cores: 2,
    memory: 4,
    disk: 40,
    ...shared,
    category: 'Cost-optimized',
    priceMonthly: 2.99,
    locations: EU,
    unavailableAt: ['fsn1'],
  },
  {
    id: 115,
    name: 'cx33',
    cores: 4,
    memory: 8,
    disk: 80,
    ...shared,
    category: 'Cost-optimized',
    priceMonthly: 4.99,
    locations: EU,
  },
  {
    id: 116,
    name: 'cx43',
    cores: 8,
    memory: 16,
    disk: 160,
    ...shared,
    category: 'Cost-optimized',
    priceMonthly: 8.49,
    locations: EU,
  },
  {
    id: 117,
    name: 'cx53',
    cores: 16,
    memory: 32,
    disk: 320,
    ...shared,
    category: 'Cost-optimized',
    priceMonthly: 15.49,
    locations: EU,
    unavailableAt: EU,
  },
  {
    id: 45,
    name: 'cax11',
    cores: 2,
    memory: 4,
    disk: 40,
    cpu_type: 'shared',
    architecture: 'arm',
    category: 'Cost-optimized',
    priceMonthly: 3.29,
    locations: EU,
    unavailableAt: ['nbg1'],
  },
  {
    id: 93,
    name: 'cax21',
    cores: 4,
    memory: 8,
    disk: 80,
    cpu_type: 'shared',
    architecture: 'arm',
    category: 'Cost-optimized',
    priceMonthly: 5.49,
    locations: EU,
  },
  {
    id: 22,
    name: 'cpx11',
    cores: 2,
    memory: 2,
    disk: 40,
    ...shared,
    category: 'Regular performance',
    priceMonthly: 3.85,
    locations: ['fsn1', 'nbg1', 'hel1', 'ash', 'hil', 'sin'],
    unavailableAfter: '2026-01-01T00:00:00Z',
  },
  {
    id: 108,
    name: 'cpx12',
    cores: 1,
    memory: 2,
    disk: 40,
    ...shared,
    category: 'Regular performance',
    priceMonthly: 5.99,
    priceAt: { sin: 8.49 },
    locations: ['sin', ...EU],
  },
  {
    id: 109,
    name: 'cpx22',
    cores: 2,
    memory: 4,
    disk: 80,
    ...shared,
    category: 'Regular performance',
    priceMonthly: 5.99,
    locations: EU,
  },
  {
    id: 110,
    name: 'cpx32',
    cores: 4,
    memory: 8,
    disk: 160,
    ...shared,
    category: 'Regular performance',
    priceMonthly: 10.49,
    locations: EU,
  },
  {
    id: 24,
    name: 'cpx31',
    cores: 4,
    memory: 8,
    disk: 160,
    ...shared,
    category: 'Regular performance',
    priceMonthly: 17.99,
    priceAt: { sin: 21.99 },
    locations: ['ash', 'hil', 'sin'],
  },
  {
    id: 96,
    name: 'ccx13',
    cores: 2,
    memory: 8,
    disk: 80,
    cpu_type: 'dedicated',
    architecture: 'x86',
    category: 'General purpose',
    priceMonthly: 11.99,
    priceAt: { ash: 12.49, hil: 12.49, sin: 16.99 },
    locations: ['fsn1', 'nbg1', 'hel1', 'ash', 'hil', 'sin'],
  },
  {
    id: 97,
    name: 'ccx23',
    cores: 4,
    memory: 16,
    disk: 160,
    cpu_type: 'dedicated',
    architecture: 'x86',
    category: 'General purpose',
    priceMonthly: 23.99,
    priceAt: { ash: 24.99, hil: 24.99, sin: 33.49 },
    locations: ['fsn1', 'nbg1', 'hel1', 'ash', 'hil', 'sin'],
  },
];

/** Net, in euros. */
export function monthlyPrice({ priceMonthly, priceAt = {} }: HetznerType, location: string): number {
  return priceAt[location] ?? priceMonthly;
}
