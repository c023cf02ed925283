import { AGENT_PORTS } from './agent-environment';
import { STATUS_PATH } from './status-report';

/** Where the proxy sees the folder of the status document. */
export const PROXY_STATUS_FOLDER = '/srv/status';

/** Its key, and nothing older than what the controller speaks. */
const TLS = ['\ttls /etc/caddy/tls/cert.pem /etc/caddy/tls/key.pem {', '\t\tprotocols tls1.2 tls1.3', '\t}'];

/** The Caddyfile. Bare ports as site addresses: the certificate is served whatever name or address callers use. */
export function proxyFile(agentWsPort: number): string {
  const site = (port: number, ...directives: string[]) => [`:${port} {`, ...TLS, ...directives, '}'].join('\n');
  return [
    '{\n\tadmin off\n\tauto_https off\n}',
    site(
      AGENT_PORTS.api,
      `\thandle ${STATUS_PATH} {`,
      `\t\troot * ${PROXY_STATUS_FOLDER}`,
      '\t\trewrite * /status.json',
      '\t\theader Cache-Control no-store',
      '\t\tfile_server',
      '\t}',
      '\thandle {',
      `\t\treverse_proxy agent-manager:${AGENT_PORTS.api}`,
      '\t}',
    ),
    site(agentWsPort, `\treverse_proxy agent-manager:${AGENT_PORTS.webSocket}`),
    '',
  ].join('\n');
}
