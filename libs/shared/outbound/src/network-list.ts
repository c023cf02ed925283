import { BlockList, isIP } from 'node:net';

/** Networks in CIDR notation or single addresses, IPv4 and IPv6. */
export class NetworkList {
  readonly #list = new BlockList();

  /** @throws Error that names what is no network */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      if (!isNetwork(network)) throw new Error(`${network} is no network`);
      const [address = '', bits] = network.split('/');
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /** An IPv4 address in IPv6 notation counts as what it is. What is no address is in no network. */
  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** An address, or a network such as 10.0.0.0/8. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  // A zone (fe80::1%eth0) means something on one machine only.
  if (version === 0 || rest.length > 0 || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
