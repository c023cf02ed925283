import { parseUrl } from '@agent-controller/kernel';
import { lookup as lookUpName } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { addressKind } from './address-kind';
import { HostList } from './host-list';
import { NetworkList } from './network-list';

/** What is called, and so what must be true of it. */
export type Destination =
  /** A server that we made: called by the address that the provider told. */
  | 'own-server'
  /** What a caller named: its host must be allowed. */
  | 'named-by-caller'
  /** What a configured service named, such as an issuer the address of its keys. */
  | 'named-by-service';

export interface OutboundRules {
  /** `OUTBOUND_ALLOWED_HOSTS` */
  allowedHosts: readonly string[];
  /** `OUTBOUND_ALLOWED_NETWORKS`: which addresses that are not public may be called all the same. */
  allowedNetworks: readonly string[];
  /** Of the operator's configuration: their hosts are allowed, and they themselves may be in a private network. */
  configuredUrls: readonly string[];
}

export interface ResolvedAddress {
  address: string;
  family: 4 | 6;
}

/** All addresses of a name. */
export type Lookup = (hostname: string) => Promise<{ address: string; family: number }[]>;

/** A call that is not made. The message is for people, and says what would allow it. */
export class OutboundRefusedError extends Error {
  override readonly name = 'OutboundRefusedError';
}

const LOCALHOST = /(^|\.)localhost$/;
/** How long a request waits to be told that a name leads nowhere good; the call itself asks again. */
const EARLY_LOOKUP_MS = 2_000;

/** Says which hosts and addresses the controller may call. Everything that it calls over HTTP by itself is asked here. */
export class OutboundGuard {
  readonly #hosts: HostList;
  readonly #networks: NetworkList;
  readonly #configured: ReadonlySet<string>;

  /** @throws Error that names a wrong host or network */
  constructor(
    { allowedHosts, allowedNetworks, configuredUrls }: OutboundRules,
    private readonly lookup: Lookup = (hostname) => lookUpName(hostname, { all: true }),
  ) {
    const configured = configuredUrls.map((url) => new URL(url));
    this.#hosts = new HostList([...allowedHosts, ...configured.map(({ hostname }) => hostname)]);
    this.#networks = new NetworkList(allowedNetworks);
    this.#configured = new Set(configured.map(({ origin }) => origin));
  }

  /**
   * For a request that names a URL: what would forbid to call it, for people, or null. A name that cannot be resolved just
   * now is no problem yet: `resolve` decides.
   */
  async problem(text: string, destination: Destination): Promise<string | null> {
    try {
      const url = parse(text);
      this.assertUrl(url, destination);
      if (isAddress(url)) this.assertAddress(bare(url), url, destination);
      else await this.assertName(url, destination);
      return null;
    } catch (error) {
      if (error instanceof OutboundRefusedError) return error.message;
      throw error;
    }
  }

  /**
   * The addresses to connect to, and no others: all of them were looked at.
   * @throws OutboundRefusedError; the resolver's error
   */
  async resolve(url: URL, destination: Destination, signal: AbortSignal): Promise<ResolvedAddress[]> {
    this.assertUrl(url, destination);
    const found = isAddress(url)
      ? [{ address: bare(url), family: isIP(bare(url)) }]
      : await unlessAborted(this.lookup(url.hostname), signal);
    for (const { address } of found) this.assertAddress(address, url, destination);
    if (found.length === 0) throw Object.assign(new Error('The name has no address'), { code: 'ENOTFOUND' });
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  }

  private assertUrl(url: URL, destination: Destination): void {
    const refusal = urlProblem(url);
    if (refusal) throw new OutboundRefusedError(refusal);
    if (destination === 'own-server' && !isAddress(url)) {
      throw new OutboundRefusedError('a server is called by its address, not by a name');
    }
    if (destination === 'named-by-caller' && !this.#hosts.has(url)) {
      throw new OutboundRefusedError(
        `the host ${url.host} is not allowed: ask the operator to add it to OUTBOUND_ALLOWED_HOSTS`,
      );
    }
  }

  private assertAddress(address: string, url: URL, destination: Destination): void {
    const found = addressKind(address);
    if (found.kind === 'public') return;
    const what = isAddress(url) ? `${address} is` : `${url.hostname} leads to`;
    if (found.kind === 'never') {
      throw new OutboundRefusedError(`${what} no public address (${found.range}), and such are never called`);
    }
    const isConfigured = destination !== 'own-server' && this.#configured.has(url.origin);
    if (isConfigured || this.#networks.has(address)) return;
    throw new OutboundRefusedError(
      `${what} no public address (${found.range}): ask the operator to add its network to OUTBOUND_ALLOWED_NETWORKS`,
    );
  }

  private async assertName(url: URL, destination: Destination): Promise<void> {
    // By definition (RFC 6761), whatever the resolver says.
    if (LOCALHOST.test(url.hostname)) this.assertAddress('127.0.0.1', url, destination);
    let found: Awaited<ReturnType<Lookup>>;
    try {
      found = await unlessAborted(this.lookup(url.hostname), AbortSignal.timeout(EARLY_LOOKUP_MS));
    } catch {
      return;
    }
    for (const { address } of found) this.assertAddress(address, url, destination);
  }
}

/** For `connect`: leads to these addresses, whatever the name says by now. */
export function pinnedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, done) => {
    const [first] = addresses;
    if (options.all) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}

function parse(text: string): URL {
  const url = parseUrl(text);
  if (!url) throw new OutboundRefusedError('it is no URL');
  return url;
}

/** The parser has brought addresses of all notations, such as 0x7f.1 or 2130706433, into their usual one. */
function urlProblem(url: URL): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'only https and http are called';
  if (url.username !== '' || url.password !== '') return 'a user in a URL is not sent';
  if (url.port === '0') return 'there is no port 0';
  if (/^$|^\.|\.\.|\.$/.test(url.hostname)) return `${url.hostname} is no host`;
  return null;
}

function isAddress(url: URL): boolean {
  return isIP(bare(url)) !== 0;
}

function bare({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
