import { readCaddyfile } from './caddyfile';
import { RefusedError } from './refused.error';

const site = (body: string, address = ':3000') => `${address} {\n${body}\n}\n`;
const TLS = '\ttls /tls/cert.pem /tls/key.pem';

describe('readCaddyfile', () => {
  it('reads the sites at bare ports, behind global options and comments', () => {
    const text = `# mine\n{\n\tauto_https off\n\tservers {\n\t\tprotocols h1\n\t}\n}\n${site(
      `${TLS} # pair\n\treverse_proxy agent:3000`,
    )}${site(`${TLS}\n\treverse_proxy http://agent:8080 {\n\t\tflush_interval -1\n\t}`, 'https://:8443')}`;
    const tls = { certificatePath: '/tls/cert.pem', keyPath: '/tls/key.pem' };
    expect(readCaddyfile(text)).toEqual([
      { port: 3000, ...tls, upstream: { host: 'agent', port: 3000 } },
      { port: 8443, ...tls, upstream: { host: 'agent', port: 8080 } },
    ]);
  });

  it('reads several addresses of one site, and a proxy inside handle', () => {
    const text = site(
      `${TLS}\n\thandle /status {\n\t\tfile_server\n\t}\n\thandle {\n\t\treverse_proxy agent:1\n\t}`,
      ':1, :2',
    );
    expect(readCaddyfile(text).map(({ port, upstream }) => [port, upstream.port])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  it.each([
    ['', 'no site'],
    [site(TLS, 'example.com'), 'no site'],
    [site('\treverse_proxy agent:3000'), 'no tls'],
    [site(`${TLS}`), 'no reverse_proxy'],
    [site('\ttls internal\n\treverse_proxy agent:3000'), 'no tls'],
    [`${site(TLS)}}`, 'brace too many'],
    [':3000 {\n', 'not closed'],
  ])('refuses %j', (text, message) => {
    expect(() => readCaddyfile(text)).toThrow(RefusedError);
    expect(() => readCaddyfile(text)).toThrow(message);
  });
});
