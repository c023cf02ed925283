import { isIP } from 'node:net';
import { NetworkList } from './network-list';

export type AddressKind =
  | { kind: 'public' }
  /** Somebody's own network. `range` is its name, for people. */
  | { kind: 'inner'; range: string }
  /** No server of anybody, or one that gives secrets to whoever asks: nothing allows these. */
  | { kind: 'never'; range: string };

type Range = readonly [range: string, ...networks: string[]];

/** From IANA's registries of special-purpose addresses (RFC 6890 and its updates). */
const INNER: readonly Range[] = [
  ['loopback', '127.0.0.0/8', '::1'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['shared (carrier)', '100.64.0.0/10'],
  ['benchmarking', '198.18.0.0/15', '2001:2::/48'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
];
const NEVER: readonly Range[] = [
  ['unspecified', '0.0.0.0/8', '::'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved or broadcast', '240.0.0.0/4', '192.0.0.0/24', '192.88.99.0/24'],
  // Its metadata service, in the middle of public addresses (Azure), and those in private ranges (AWS, Alibaba Cloud).
  ['cloud metadata', '168.63.129.16', 'fd00:ec2::254', '100.100.100.200'],
  // They carry an IPv4 address in them, and a gateway brings what is sent there to that one.
  ['translated', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32', '::ffff:0:0:0/96'],
];

const inner = listed(INNER);
const never = listed(NEVER);
/** All that is given out to be reached from everywhere (RFC 4291, 2.4). */
const globalIpv6 = new NetworkList(['2000::/3']);
/** Within that, IETF's own protocols (RFC 2928). */
const ietfIpv6 = new NetworkList(['2001::/23']);
const mapped = new NetworkList(['::ffff:0:0/96']);

/**
 * What kind of address this is.
 * @param address IPv4 or IPv6; IPv4 in IPv6 notation counts as the IPv4 address that it is
 */
export function addressKind(address: string): AddressKind {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return { kind: 'never', range: 'no' };
  const forbidden = rangeOf(never, address);
  if (forbidden) return { kind: 'never', range: forbidden };
  const own = rangeOf(inner, address);
  if (own) return { kind: 'inner', range: own };
  if (family === 4 || mapped.has(address)) return { kind: 'public' };
  return globalIpv6.has(address) && !ietfIpv6.has(address) ? { kind: 'public' } : { kind: 'never', range: 'reserved' };
}

function listed(ranges: readonly Range[]) {
  return ranges.map(([range, ...networks]) => ({ range, networks: new NetworkList(networks) }));
}

function rangeOf(ranges: ReturnType<typeof listed>, address: string): string | undefined {
  return ranges.find(({ networks }) => networks.has(address))?.range;
}
