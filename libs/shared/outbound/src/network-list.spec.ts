import { isNetwork, NetworkList } from './network-list';

describe('NetworkList', () => {
  const list = new NetworkList(['127.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);

  it.each(['127.0.0.1', '127.255.255.255', '::ffff:127.0.0.1', '192.0.2.7', '2001:db8:1::9', '::1'])(
    'has %s',
    (address) => {
      expect(list.has(address)).toBe(true);
    },
  );

  it.each(['128.0.0.1', '192.0.2.8', '2001:db9::', '::2', '', 'localhost', '127.1'])('does not have %j', (address) => {
    expect(list.has(address)).toBe(false);
  });

  it('has nothing of an empty list', () => {
    expect(new NetworkList([]).has('127.0.0.1')).toBe(false);
  });

  it('names what is no network', () => {
    expect(() => new NetworkList(['10.0.0.0/8', '10.0.0.0/33'])).toThrow('10.0.0.0/33 is no network');
  });
});

describe('isNetwork', () => {
  it.each(['10.0.0.0/8', '10.0.0.1', '0.0.0.0/0', '::/0', 'fd00::/8', '2001:db8::1/128'])('takes %s', (text) => {
    expect(isNetwork(text)).toBe(true);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    'fd00::/129',
    'fe80::1%eth0',
    'x',
  ])('does not take %j', (text) => {
    expect(isNetwork(text)).toBe(false);
  });
});
