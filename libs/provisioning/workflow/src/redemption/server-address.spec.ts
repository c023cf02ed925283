import { isOfServer } from './server-address';

describe('isOfServer', () => {
  it.each([
    ['192.0.2.7', ['192.0.2.7'], true],
    ['192.0.2.8', ['192.0.2.7'], false],
    ['::ffff:192.0.2.7', ['192.0.2.7'], true],
    ['::ffff:192.0.2.8', ['192.0.2.7'], false],
    ['2001:db8:1:2::1', ['192.0.2.7', '2001:db8:1:2::1'], true],
    ['2001:db8:1:2:ffff::9', ['2001:db8:1:2::1'], true],
    ['2001:DB8:1:2:0:0:0:a', ['2001:db8:1:2::1'], true],
    ['2001:db8:1:3::1', ['2001:db8:1:2::1'], false],
    ['2001:db8:1:2::1', ['192.0.2.7', null], false],
    ['192.0.2.7', [null, undefined, 'x', '192.0.2.7'], true],
    ['192.0.2.7', [null], false],
    ['', ['192.0.2.7'], false],
    ['x', ['192.0.2.7'], false],
  ])('%s of a server with %j: %s', (address, told, expected) => {
    expect(isOfServer(address, told)).toBe(expected);
  });
});
