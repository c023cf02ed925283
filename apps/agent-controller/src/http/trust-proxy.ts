import { isIP } from 'node:net';

/** Proxies between callers and this controller: their number, or their addresses and networks. */
export type TrustProxy = number | string[];

const MAX_HOPS = 10;

/** @returns null for what is neither a number of proxies (0: there is none) nor a list of addresses and CIDRs */
export function parseTrustProxy(value: string): TrustProxy | null {
  if (/^\d+$/.test(value)) return Number(value) <= MAX_HOPS ? Number(value) : null;
  const entries = value.split(',').flatMap((entry) => entry.trim() || []);
  return entries.length > 0 && entries.every(isNetwork) ? entries : null;
}

/**
 * For Fastify, which then tells where a request came from before the proxies. Without the setting, and with none of
 * them, that is who connected.
 */
export function trustProxyOption(setting: TrustProxy | undefined) {
  // Fastify itself does not count hops any more: their number says nothing of who connected. The operator does.
  if (typeof setting === 'number') return (_address: string, hop: number) => hop < setting;
  return setting ?? false;
}

function isNetwork(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}
