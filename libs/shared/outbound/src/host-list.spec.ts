import { HostList, isHost } from './host-list';

const has = (hosts: string[], url: string) => new HostList(hosts).has(new URL(url));

describe('HostList', () => {
  it.each([
    ['login.example.com', 'https://login.example.com/realms/x'],
    ['login.example.com', 'http://login.example.com:8080'],
    ['LOGIN.Example.com', 'https://login.EXAMPLE.com'],
    ['login.example.com:8443', 'https://login.example.com:8443'],
    ['login.example.com:443', 'https://login.example.com'],
    ['login.example.com:80', 'http://login.example.com'],
    ['*.example.com', 'https://a.example.com'],
    ['*.example.com', 'https://a.b.example.com'],
    ['*.example.com:8443', 'https://a.example.com:8443'],
    ['bücher.example', 'https://xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'https://BÜCHER.example'],
    ['192.0.2.7', 'https://192.0.2.7:3000'],
    ['192.0.2.7', 'https://0xc0.0.2.7'],
    ['2001:db8::1', 'https://[2001:db8::1]:3000'],
    ['[2001:DB8:0::1]:3000', 'https://[2001:db8::1]:3000'],
    ['*', 'https://anything.example:1'],
    ['*:443', 'https://anything.example'],
  ])('%s lets %s pass', (host, url) => {
    expect(has([host], url)).toBe(true);
  });

  it.each([
    ['login.example.com', 'https://evil.example.com'],
    ['login.example.com', 'https://login.example.com.evil.example'],
    ['login.example.com', 'https://xlogin.example.com'],
    ['login.example.com', 'https://login.example.com@evil.example'],
    ['login.example.com', 'https://login.example.com.'],
    ['login.example.com:8443', 'https://login.example.com'],
    ['login.example.com:443', 'http://login.example.com'],
    ['*.example.com', 'https://example.com'],
    ['*.example.com', 'https://evilexample.com'],
    ['*.example.com', 'https://a.example.com.evil.example'],
    ['192.0.2.7', 'https://192.0.2.70'],
    ['*:443', 'http://anything.example'],
  ])('%s does not let %s pass', (host, url) => {
    expect(has([host], url)).toBe(false);
  });

  it('lets nothing pass when it is empty', () => {
    expect(has([], 'https://login.example.com')).toBe(false);
  });
});

describe('isHost', () => {
  it.each([
    '',
    'https://login.example.com',
    'login.example.com/x',
    'user@login.example.com',
    'login.example.com:0',
    'login.example.com:65536',
    'login.example.com:x',
    'login.example.com:1:2',
    'login.example.com.',
    '.example.com',
    'a..b',
    'a b',
    '*.',
    '*.*.example.com',
    'a.*.com',
    '*example.com',
    '*.192.0.2.7',
    '*.[::1]',
    '%6cogin.example.com',
    '-a.example',
    ' login.example.com',
  ])('is not %j', (text) => {
    expect(isHost(text)).toBe(false);
    expect(() => new HostList([text])).toThrow('is no host');
  });
});
