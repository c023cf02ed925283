import type { CloudServer } from './cloud-provider';

/** Where a server is called: its IPv4, or its IPv6 where it has no other; null before it has any. */
export function publicAddress({ publicIpv4, publicIpv6 }: Pick<CloudServer, 'publicIpv4' | 'publicIpv6'>) {
  return publicIpv4 ?? publicIpv6;
}
