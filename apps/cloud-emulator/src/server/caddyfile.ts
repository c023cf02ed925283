import { RefusedError } from './refused.error';

export interface ProxySite {
  port: number;
  certificatePath: string;
  keyPath: string;
  upstream: { host: string; port: number };
}

/** Reads the sites of a Caddyfile whose addresses are bare ports, as far as a reverse proxy with its own key needs. */
export function readCaddyfile(text: string): ProxySite[] {
  const sites = [...text.matchAll(/^(?:https:\/\/)?:(\d+)\s*\{\n([\s\S]*?)\n\}/gm)].map(([, port, body = '']) => {
    const tls = /^\s*tls\s+(\S+)\s+(\S+)\s*$/m.exec(body);
    const proxy = /^\s*reverse_proxy\s+([\w.-]+):(\d+)\s*$/m.exec(body);
    if (!tls || !proxy)
      throw new RefusedError(`Caddy: site :${port} has no tls or no reverse_proxy that is understood`);
    return {
      port: Number(port),
      certificatePath: tls[1] ?? '',
      keyPath: tls[2] ?? '',
      upstream: { host: proxy[1] ?? '', port: Number(proxy[2]) },
    };
  });
  if (sites.length === 0) throw new RefusedError('Caddy: the Caddyfile has no site');
  return sites;
}
