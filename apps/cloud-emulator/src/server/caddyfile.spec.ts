import { readCaddyfile } from './caddyfile';
import { RefusedError } from './refused.error';

const site = (body: string, address = ':3000') => `${address} {\n${body}\n}\n`;
const TLS = '\ttls /tls/cert.pem /tls/key.pem';
const PROXY = '\treverse_proxy agent:3000';
const FILES = '\t\troot * /srv/status\n\t\tfile_server';
const handle = (path: string, body: string) => `\thandle${path} {\n${body}\n\t}`;
const pair = { certificatePath: '/tls/cert.pem', keyPath: '/tls/key.pem' };

describe('readCaddyfile', () => {
  it('reads the sites at bare ports, behind global options and comments', () => {
    const text = `# mine\n{\n\tauto_https off\n\tservers {\n\t\tprotocols h1\n\t}\n}\n${site(
      `${TLS} # pair\n${PROXY}`,
    )}${site(`${TLS}\n\treverse_proxy http://agent:8080 {\n\t\tflush_interval -1\n\t}`, 'https://:8443')}`;
    const proxied = (port: number) => [{ path: null, kind: 'upstream', host: 'agent', port }];
    expect(readCaddyfile(text)).toEqual([
      { port: 3000, ...pair, routes: proxied(3000) },
      { port: 8443, ...pair, routes: proxied(8080) },
    ]);
  });

  it('reads several addresses of one site', () => {
    expect(
      readCaddyfile(site(`${TLS} {\n\t\tprotocols tls1.2 tls1.3\n\t}\n${PROXY}`, ':1, :2')).map(({ port }) => port),
    ).toEqual([1, 2]);
  });

  it('reads handles: a folder of files at a path, and a proxy for the rest, in whatever order', () => {
    const files = handle(
      ' /a/status',
      `\t\troot * /srv/status\n\t\trewrite * /status.json\n\t\theader Cache-Control no-store\n\t\tfile_server`,
    );
    const rest = handle('', '\t\treverse_proxy agent:3000');
    const expected = [
      {
        path: '/a/status',
        kind: 'files',
        root: '/srv/status',
        rewrite: '/status.json',
        headers: { 'Cache-Control': 'no-store' },
      },
      { path: null, kind: 'upstream', host: 'agent', port: 3000 },
    ];
    for (const body of [`${files}\n${rest}`, `${rest}\n${files}`, `${PROXY}\n${files}`]) {
      expect(readCaddyfile(site(`${TLS}\n${body}`))).toEqual([{ port: 3000, ...pair, routes: expected }]);
    }
    const [plain] = readCaddyfile(site(`${TLS}\n${PROXY}\n${handle(' /x', FILES)}`));
    expect(plain?.routes[0]).toMatchObject({ rewrite: null, headers: {} });
  });

  it.each([
    ['', 'no site'],
    [site(TLS, 'example.com'), 'no site'],
    [site(PROXY), 'no tls'],
    [site(`${TLS}`), 'no reverse_proxy'],
    [site(`\ttls internal\n${PROXY}`), 'no tls'],
    [
      site(`${TLS} {\n\t\tprotocols tls1.0 tls1.3\n\t}\n${PROXY}`),
      'protocols tls1.0 tls1.3 is not understood within tls',
    ],
    [site(`${TLS} {\n\t\tclient_auth {\n\t\t}\n\t}\n${PROXY}`), 'client_auth is not understood within tls'],
    [`${site(TLS)}}`, 'brace too many'],
    [':3000 {\n', 'not closed'],
    [site(`${TLS}\n\treverse_proxy agent:1 agent:2`), 'no reverse_proxy that is understood'],
    [site(`${TLS}\n\treverse_proxy /api agent:1`), 'no reverse_proxy that is understood'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', FILES)}\n${handle(' /x', FILES)}`), 'handles a path twice'],
    [site(`${TLS}\n${PROXY}\n${handle('', '\t\treverse_proxy agent:1')}`), 'handles a path twice'],
    [site(`${TLS}\n${handle(' /x', FILES)}`), 'no reverse_proxy'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x*', FILES)}`), 'handle /x* is not understood'],
    [site(`${TLS}\n${PROXY}\n${handle(' @name', FILES)}`), 'handle @name is not understood'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', '\t\tfile_server')}`), 'file_server with its root'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', `${FILES} browse`)}`), 'file_server with options'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', '\t\troot /srv\n\t\tfile_server')}`), 'root is not understood'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', `\t\trewrite * a.json\n${FILES}`)}`), 'rewrite is not understood'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', `\t\theader -Server\n${FILES}`)}`), 'header -Server is not understood'],
    [site(`${TLS}\n${PROXY}\n${handle(' /x', '\t\trespond "ok"')}`), 'respond is not understood'],
    [site(`${TLS}\n${PROXY}\n\tbasic_auth {\n\t}`), 'basic_auth is not understood'],
  ])('refuses %j', (text, message) => {
    expect(() => readCaddyfile(text)).toThrow(RefusedError);
    expect(() => readCaddyfile(text)).toThrow(message);
  });
});
