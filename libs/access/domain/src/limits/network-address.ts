import { ipv6Groups } from '@agent-controller/kernel';
import { isIP, isIPv6 } from 'node:net';

/** Addresses that were met lately: the same few call again and again. */
const KNOWN = new Map<string, string>();
const MAX_KNOWN = 1_000;

/** What failures are counted by: an IPv4 address, or the /64 of an IPv6 address, since a host has all of those. */
export function networkOf(address: string): string {
  const known = KNOWN.get(address);
  if (known !== undefined) return known;
  if (KNOWN.size >= MAX_KNOWN) KNOWN.clear();
  const network = findNetwork(address);
  KNOWN.set(address, network);
  return network;
}

function findNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  // What a proxy passes on need not be an address.
  if (isIP(address) === 0) return 'unknown';
  if (!isIPv6(address)) return address;
  const [withoutZone = ''] = address.split('%');
  return `${ipv6Groups(withoutZone).slice(0, 4).join(':')}::/64`;
}
