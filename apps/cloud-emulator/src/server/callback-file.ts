import { parseUrl } from '@agent-controller/kernel';
import type { WrittenFile } from './cloud-init';
import { RefusedError } from './refused.error';

export const CALLBACK_FILE = '/opt/agent-manager/callback.curlrc';

/** Where a server sends something to the controller, and with what. */
export interface Callback {
  url: URL;
  headers: [string, string][];
  /** Base64 of the SHA-256 of public keys; empty: any that the PKI accepts. */
  pins: string[];
}

const ESCAPES: Record<string, string> = { '\\': '\\', '"': '"', t: '\t', n: '\n', r: '\r', v: '\v' };
const LINE = /^([a-z]+) = "((?:[^"\\]|\\.)*)"$/;
const PIN = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/;

/** @throws RefusedError when others could read it, or when curl would not do with it what was meant */
export function callbackOf(files: WrittenFile[]): Callback | null {
  return readCurlFile(files, CALLBACK_FILE);
}

/** @throws RefusedError as `callbackOf` does */
export function readCurlFile(files: WrittenFile[], wanted: string): Callback | null {
  const file = files.find(({ path }) => path === wanted);
  if (!file) return null;
  if (parseInt(file.permissions, 8) !== 0o600) {
    throw new RefusedError(`${wanted} has mode ${file.permissions}, not 0600: it holds a token`);
  }
  return readCallbackFile(file.content.toString('utf8'));
}

/** Reads curl's syntax for `--config`, strictly: `key = "value"` with the escapes that curl knows. No error tells a value. */
export function readCallbackFile(text: string): Callback {
  const options = text.split('\n').flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, key = '', quoted = ''] = LINE.exec(line) ?? refuse(`line ${index + 1} is not key = "value"`);
    if (!['url', 'header', 'pinnedpubkey'].includes(key)) refuse(`line ${index + 1}: ${key} is not understood`);
    return [{ key, value: unescape(quoted) }];
  });
  const valuesOf = (name: string) => options.filter(({ key }) => key === name).map(({ value }) => value);
  const [url, ...urls] = valuesOf('url');
  const [pins, ...morePins] = valuesOf('pinnedpubkey');
  if (url === undefined || urls.length > 0) refuse('there is not one url');
  if (morePins.length > 0) refuse('pinnedpubkey is there twice');
  return {
    url: address(url),
    headers: valuesOf('header').map(header),
    pins: pins === undefined ? [] : pins.split(';').map((pin) => PIN.exec(pin)?.[1] ?? refuse('a pin is none')),
  };
}

function unescape(quoted: string): string {
  return quoted.replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? refuse(`\\${char} is no escape of curl's`));
}

/** Plain HTTP to this machine only: the emulator stands for the network in between. */
function address(text: string): URL {
  const url = parseUrl(text) ?? refuse('its url is none');
  const isPlainHere = url.protocol === 'http:' && url.hostname === '127.0.0.1';
  if (url.protocol !== 'https:' && !isPlainHere) refuse('its url is neither https nor http://127.0.0.1');
  return url;
}

function header(line: string): [string, string] {
  const [, name = '', value = ''] = /^([\w-]+): ([ -~\x80-\uffff]+)$/.exec(line) ?? refuse('a header is none');
  return [name, value];
}

function refuse(why: string): never {
  throw new RefusedError(`${CALLBACK_FILE}: ${why}`);
}
