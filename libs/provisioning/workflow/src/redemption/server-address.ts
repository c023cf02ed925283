import { isNetwork, NetworkList } from '@agent-controller/outbound';
import { isIP } from 'node:net';

/** A server has a whole network of this size, and speaks from any address of it. */
const IPV6_PREFIX = 64;

/**
 * Whether an address is one of a server's, of which the provider told these.
 * @param told null and what is no address are not known
 */
export function isOfServer(address: string, told: readonly (string | null | undefined)[]): boolean {
  const own = told.flatMap((each) => {
    const family = isIP(each ?? '');
    const network = family === 6 ? `${each}/${IPV6_PREFIX}` : (each ?? '');
    return family !== 0 && isNetwork(network) ? network : [];
  });
  return new NetworkList(own).has(address);
}
