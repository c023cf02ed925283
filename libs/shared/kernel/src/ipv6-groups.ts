/**
 * The eight groups of an IPv6 address, each as hexadecimal digits without leading zeros.
 * @param address a valid one, without a zone; its last 32 bits may be in IPv4 notation
 */
export function ipv6Groups(address: string): string[] {
  const [head = '', tail] = canonicalIpv6(address).split('::');
  const groups = (half: string) => (half === '' ? [] : half.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  return [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
}

/** As RFC 5952 spells it. @param address a valid one, without a zone */
export function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
