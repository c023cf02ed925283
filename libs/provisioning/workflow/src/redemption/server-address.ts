import { BlockList, isIP } from 'node:net';

/** A server has a whole network of this size, and speaks from any address of it. */
const IPV6_PREFIX = 64;

/**
 * Whether an address is one of a server's, of which the provider told these.
 * @param told null and what is no address are not known
 */
export function isOfServer(address: string, told: readonly (string | null | undefined)[]): boolean {
  const own = new BlockList();
  for (const each of told) {
    if (isIP(each ?? '') === 4) own.addAddress(each ?? '', 'ipv4');
    if (isIP(each ?? '') === 6) own.addSubnet(each ?? '', IPV6_PREFIX, 'ipv6');
  }
  const family = isIP(address);
  // An IPv4 address in IPv6 notation is compared as what it is.
  return family !== 0 && own.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
