import type { InboundRule } from '@agent-controller/cloud-port';
import { ANYWHERE } from '@agent-controller/kernel';
import { AGENT_API_PORT } from '../agent/agent-target';
import type { ProvisioningConfiguration } from '../provisioning.types';

const SSH_PORT = 22;

export type Reachable = Pick<ProvisioningConfiguration, 'agentWsPort' | 'allowedCidrs' | 'sshKeys'>;

/**
 * What gets through to a server: its two published ports, and SSH where somebody's key is on it. Nothing answers pings;
 * errors of ICMP belong to connections, and pass both providers' firewalls, which are stateful.
 * @param controllerCidrs where controllers are: they call the API's port, and nothing else
 */
export function inboundRules(
  { agentWsPort, allowedCidrs, sshKeys = [] }: Reachable,
  controllerCidrs: readonly string[],
): InboundRule[] {
  const sources = allowedCidrs ?? ANYWHERE;
  const rules: InboundRule[] = [
    { port: AGENT_API_PORT, sources: allowedCidrs ? [...new Set([...sources, ...controllerCidrs])] : sources },
    { port: agentWsPort, sources },
  ];
  if (sshKeys.length > 0) rules.push({ port: SSH_PORT, sources });
  return rules;
}
