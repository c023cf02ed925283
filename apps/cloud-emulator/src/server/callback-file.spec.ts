import { CALLBACK_FILE, callbackOf, readCallbackFile } from './callback-file';
import { RefusedError } from './refused.error';

const URL_LINE = 'url = "https://controller.example/api/provisioning/callbacks/1"\n';
const PIN = `${'A'.repeat(43)}=`;

describe('the callback file', () => {
  it('is read as curl reads it: one url, headers with escapes, pins', () => {
    const text = `# comment\n${URL_LINE}header = "Authorization: Bearer to\\"k\\\\en"\n\nheader = "Content-Type: application/json"\npinnedpubkey = "sha256//${PIN};sha256//${PIN}"\n`;
    expect(readCallbackFile(text)).toEqual({
      url: new URL('https://controller.example/api/provisioning/callbacks/1'),
      headers: [
        ['Authorization', 'Bearer to"k\\en'],
        ['Content-Type', 'application/json'],
      ],
      pins: [PIN, PIN],
    });
    expect(readCallbackFile('url = "http://127.0.0.1:3100/x"').pins).toEqual([]);
  });

  it.each([
    ['', 'not one url'],
    [URL_LINE + URL_LINE, 'not one url'],
    ['url = "http://controller.example/"', 'neither https nor'],
    ['url = "http://127.0.0.1.example/"', 'neither https nor'],
    ['url = "ftp://127.0.0.1/"', 'neither https nor'],
    ['url = "controller"', 'url is none'],
    ['url = https://controller.example/', 'line 1 is not'],
    ['url "https://controller.example/"', 'line 1 is not'],
    [`${URL_LINE}header = "A: b" # more`, 'line 2 is not'],
    [`${URL_LINE}header = "A: b`, 'line 2 is not'],
    [`${URL_LINE}header = "A: "b""`, 'line 2 is not'],
    [`${URL_LINE}insecure`, 'line 2 is not'],
    [`${URL_LINE}output = "/etc/passwd"`, 'line 2: output is not understood'],
    [`${URL_LINE}header = "A: \\x"`, 'no escape'],
    [`${URL_LINE}header = "A: b\\nC: d"`, 'a header is none'],
    [`${URL_LINE}header = "A"`, 'a header is none'],
    [`${URL_LINE}pinnedpubkey = "sha256//short="`, 'a pin is none'],
    [`${URL_LINE}pinnedpubkey = "sha256//${PIN}"\npinnedpubkey = "sha256//${PIN}"`, 'twice'],
  ])('refuses %j', (text, message) => {
    expect(() => readCallbackFile(text)).toThrow(RefusedError);
    expect(() => readCallbackFile(text)).toThrow(message);
  });

  it('may be read by root only', () => {
    const content = Buffer.from(URL_LINE);
    const other = { path: '/opt/agent-manager/other', permissions: '0644', content };
    expect(callbackOf([other])).toBeNull();
    expect(callbackOf([{ path: CALLBACK_FILE, permissions: '600', content }])?.headers).toEqual([]);
    expect(() => callbackOf([{ path: CALLBACK_FILE, permissions: '0644', content }])).toThrow('mode 0644, not 0600');
  });
});
