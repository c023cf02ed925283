import { AGENT_PORTS } from './agent-environment';

/** The Caddyfile. Bare ports as site addresses: the certificate is served whatever name or address callers use. */
export function proxyFile(agentWsPort: number): string {
  const site = (port: number, upstreamPort: number) =>
    [
      `:${port} {`,
      '\ttls /etc/caddy/tls/cert.pem /etc/caddy/tls/key.pem',
      `\treverse_proxy agent-manager:${upstreamPort}`,
      '}',
    ].join('\n');
  return [
    '{\n\tadmin off\n\tauto_https off\n}',
    site(AGENT_PORTS.api, AGENT_PORTS.api),
    site(agentWsPort, AGENT_PORTS.webSocket),
    '',
  ].join('\n');
}
