import type { Client } from '@agent-controller/clients';

/** The port on which a provisioned server's proxy publishes the agent-manager's REST API. */
export const AGENT_API_PORT = 3000;

/** Where an agent-manager is reached, and whose key must answer there. */
export interface AgentTarget {
  endpoint: string;
  serverName: string;
  /** SHA-256 of the public key, base64. */
  spkiSha256: string;
}

/** @param address IPv4 or IPv6 */
export function agentEndpoint(address: string): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `https://${host}:${AGENT_API_PORT}`;
}

export function agentTarget(client: Pick<Client, 'endpoint' | 'tlsServerName' | 'tlsSpkiSha256'>): AgentTarget | null {
  const { endpoint, tlsServerName, tlsSpkiSha256 } = client;
  if (!endpoint || !tlsServerName || !tlsSpkiSha256) return null;
  return { endpoint, serverName: tlsServerName, spkiSha256: tlsSpkiSha256 };
}
