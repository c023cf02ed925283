import { parseUrl } from '@agent-controller/kernel';
import { isIP } from 'node:net';

const LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`);

interface HostRule {
  /** As `URL.hostname` has it; null: any. */
  host: string | null;
  /** The host is the end of the name, not all of it. */
  isSuffix: boolean;
  port: number | null;
}

/**
 * Hosts that may be called: `login.example.com`, `*.example.com` (not example.com itself), an address, each with a port
 * or with any; `*` is any host.
 */
export class HostList {
  readonly #rules: readonly HostRule[];

  /** @throws Error that names what is no host */
  constructor(hosts: readonly string[]) {
    this.#rules = hosts.map((host) => {
      const rule = parseHost(host);
      if (!rule) throw new Error(`${host} is no host`);
      return rule;
    });
  }

  has(url: URL): boolean {
    return this.#rules.some(
      ({ host, isSuffix, port }) =>
        (port === null || port === portOf(url)) &&
        (host === null || (isSuffix ? url.hostname.endsWith(`.${host}`) : url.hostname === host)),
    );
  }
}

export function isHost(text: string): boolean {
  return parseHost(text) !== null;
}

export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function parseHost(text: string): HostRule | null {
  const [, name = '', number] = /^(.*?)(?::(\d{1,5}))?$/s.exec(isIP(text) === 6 ? `[${text}]` : text) ?? [];
  const port = number === undefined ? null : Number(number);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  if (name === '*') return { host: null, isSuffix: false, port };
  const isSuffix = name.startsWith('*.');
  const host = hostname(isSuffix ? name.slice(2) : name);
  if (host === null || (isSuffix && (isIP(host) !== 0 || host.startsWith('[')))) return null;
  return { host, isSuffix, port };
}

/** A name or an address as the URL parser writes it: lower case, punycode, addresses in their one notation. */
function hostname(text: string): string | null {
  if (text === '' || /[\s/\\?#@%*]/.test(text) || !parseUrl(`https://${text}`)) return null;
  const { hostname: host, port } = new URL(`https://${text}`);
  if (port !== '') return null;
  return host.startsWith('[') || isIP(host) !== 0 || NAME.test(host) ? host : null;
}
