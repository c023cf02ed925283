import { allowedCidrsProblem, MAX_ALLOWED_CIDRS } from './allowed-cidrs.decorator';

describe('allowedCidrs', () => {
  it.each([
    [['192.0.2.0/24']],
    [['0.0.0.0/0', '::/0']],
    [['192.0.2.7/32', '192.0.2.0/24', '2001:db8::/32']],
    [Array.from({ length: MAX_ALLOWED_CIDRS }, (_, i) => `10.${i}.0.0/16`)],
  ])('accepts %j', (value) => {
    expect(allowedCidrsProblem(value)).toBeNull();
  });

  it.each<[unknown, string]>([
    ['192.0.2.0/24', 'must be an array of networks in CIDR notation'],
    [null, 'must be an array of networks in CIDR notation'],
    [{ 0: '192.0.2.0/24', length: 1 }, 'must be an array of networks in CIDR notation'],
    [[], 'must not be empty: nobody could connect. Leave it out to allow everybody'],
    [Array.from({ length: MAX_ALLOWED_CIDRS + 1 }, (_, i) => `10.${i}.0.0/16`), 'must not have more than 50 entries'],
    [
      ['192.0.2.0/24', '192.0.2.7'],
      'has a wrong entry 2: it is an address without a prefix: write "192.0.2.7/32" for it alone',
    ],
    [['2001:db8::1'], 'has a wrong entry 1: it is an address without a prefix: write "2001:db8::1/128" for it alone'],
    [['192.0.2.7/24'], 'has a wrong entry 1: it has address bits behind its prefix: that network is "192.0.2.0/24"'],
    [[5], 'has a wrong entry 1: it must be a network in CIDR notation, such as "192.0.2.0/24" or "2001:db8::/32"'],
    [
      [['192.0.2.0/24']],
      'has a wrong entry 1: it must be a network in CIDR notation, such as "192.0.2.0/24" or "2001:db8::/32"',
    ],
    [
      ['192.0.2.0/24', '10.0.0.0/8', '192.0.2.0/24'],
      'must not repeat itself: entry 3 is the network of an earlier one',
    ],
    [['2001:db8::/32', '2001:0DB8:0::/32'], 'must not repeat itself: entry 2 is the network of an earlier one'],
  ])('refuses %j', (value, problem) => {
    expect(allowedCidrsProblem(value)).toBe(problem);
  });
});
