import { isIP } from 'node:net';
import { readCidr } from './cidr';

describe('readCidr', () => {
  it.each([
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7/32', '192.0.2.7/32'],
    ['192.0.2.128/25', '192.0.2.128/25'],
    ['::/0', '::/0'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001/128', '2001:db8::1/128'],
    ['2001:db8:0:1:0:0:0:0/64', '2001:db8:0:1::/64'],
    ['2001:db8:0:0:1:0:0:0/80', '2001:db8:0:0:1::/80'],
    ['::/1', '::/1'],
    ['8000::/1', '8000::/1'],
  ])('%s is %s', (text, cidr) => {
    expect(readCidr(text)).toEqual({ cidr, problem: null });
    // And that is its only spelling.
    expect(readCidr(cidr).cidr).toBe(cidr);
  });

  it.each([
    ['192.0.2.7', 'is an address without a prefix: write "192.0.2.7/32" for it alone'],
    ['2001:db8::1', 'is an address without a prefix: write "2001:db8::1/128" for it alone'],
    ['192.0.2.7/24', 'has address bits behind its prefix: that network is "192.0.2.0/24"'],
    ['10.1.2.3/0', 'has address bits behind its prefix: that network is "0.0.0.0/0"'],
    ['2001:db8::1/64', 'has address bits behind its prefix: that network is "2001:db8::/64"'],
    ['2001:db8:0:3::/63', 'has address bits behind its prefix: that network is "2001:db8:0:2::/63"'],
    ['::ffff:192.0.2.0/120', 'must name an IPv4 network in IPv4 notation'],
    ['::ffff:c000:200/120', 'must name an IPv4 network in IPv4 notation'],
  ])('%s %s', (text, problem) => {
    expect(readCidr(text)).toEqual({ cidr: null, problem });
  });

  it.each([
    '',
    '/',
    '/24',
    '192.0.2.0/',
    '192.0.2.0/33',
    '192.0.2.0/024',
    '192.0.2.0/-1',
    '192.0.2.0/24/24',
    '192.0.2.0/24 ',
    ' 192.0.2.0/24',
    '192.0.2.0/24\n',
    '192.0.2.0 /24',
    '192.0.2/24',
    '192.0.2.0/255.255.255.0',
    '010.0.0.0/8',
    '0x7f.0.0.0/8',
    '2130706432/8',
    '２/24',
    '2001:db8::/129',
    '2001:db8:::/32',
    'fe80::1%eth0',
    'fe80::%eth0/64',
    '[2001:db8::]/32',
    'example.com/32',
    'anywhere',
    '*',
    '0/0',
  ])('%j is no network', (text) => {
    expect(readCidr(text).problem).toMatch(/^must be a network in CIDR notation/);
  });

  it('has one answer for every network of a size: the address with nothing behind the prefix', () => {
    for (let prefix = 0; prefix <= 128; prefix++) {
      const bits = '1'.repeat(prefix).padEnd(128, '0');
      const groups = (bits.match(/.{16}/g) ?? []).map((group) => parseInt(group, 2).toString(16));
      const { cidr } = readCidr(`${groups.join(':')}/${prefix}`);
      expect(isIP(cidr?.split('/')[0] ?? '')).toBe(6);
      const all = Array.from({ length: 8 }, () => 'ffff').join(':');
      expect(readCidr(`${all}/${prefix}`).problem ?? '').toContain(prefix === 128 ? '' : `"${cidr}"`);
    }
  });
});
