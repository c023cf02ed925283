import { isIP } from 'node:net';
import { canonicalIpv6, ipv6Groups } from './ipv6-groups';

export const ANYWHERE = ['0.0.0.0/0', '::/0'] as const;

/** A network in its one canonical spelling (RFC 5952 for IPv6), or why the text is none: it ends "it …". */
export type CidrReading = { cidr: string; problem: null } | { cidr: null; problem: string };

const FORM = /^([0-9a-fA-F.:]+)\/(0|[1-9]\d{0,2})$/;
const IPV4_IN_IPV6 = /^::ffff:/;

/** Reads a network in CIDR notation, such as `192.0.2.0/24` or `2001:db8::/32`. Never guesses what was meant. */
export function readCidr(text: string): CidrReading {
  const version = isIP(text);
  if (version !== 0 && !text.includes('%')) {
    return wrong(`is an address without a prefix: write "${text}/${version === 4 ? 32 : 128}" for it alone`);
  }
  const [, address = '', prefix = ''] = FORM.exec(text) ?? [];
  const bits = bitsOf(address);
  if (!bits || Number(prefix) > bits.length) {
    return wrong('must be a network in CIDR notation, such as "192.0.2.0/24" or "2001:db8::/32"');
  }
  const canonical = canonicalAddress(address);
  if (IPV4_IN_IPV6.test(canonical)) return wrong('must name an IPv4 network in IPv4 notation');
  if (bits.slice(Number(prefix)).includes('1')) {
    const network = addressOf(bits.slice(0, Number(prefix)).padEnd(bits.length, '0'));
    return wrong(`has address bits behind its prefix: that network is "${network}/${prefix}"`);
  }
  return { cidr: `${canonical}/${prefix}`, problem: null };
}

function wrong(problem: string): CidrReading {
  return { cidr: null, problem };
}

function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? canonicalIpv6(address) : address;
}

/** As 32 or 128 binary digits; null for what is no address. */
function bitsOf(address: string): string | null {
  const binary = (parts: string[], radix: number, size: number) =>
    parts.map((part) => parseInt(part, radix).toString(2).padStart(size, '0')).join('');
  const version = isIP(address);
  if (version === 0) return null;
  if (version === 4) return binary(address.split('.'), 10, 8);
  return binary(ipv6Groups(address), 16, 16);
}

function addressOf(bits: string): string {
  const size = bits.length === 32 ? 8 : 16;
  const parts = (bits.match(new RegExp(`.{${size}}`, 'g')) ?? []).map((part) => parseInt(part, 2));
  return size === 8 ? parts.join('.') : canonicalAddress(parts.map((part) => part.toString(16)).join(':'));
}
