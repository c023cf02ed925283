import type { AgentCheck } from '../agent/agent-health';
import type { ServerReport } from '../reports/server-report';
import { advance, type AdvanceResult } from './step';

const WARNING_MESSAGES: Record<string, string> = {
  'credentials-unverified':
    'The agent-manager refuses strangers, but its Keycloak could not be asked, so our credentials are not verified',
};

/** The end of a good provisioning. What only the making of the server needed is wiped. */
export function ready(
  { config, warnings }: Extract<AgentCheck, { state: 'ready' }>,
  report?: ServerReport,
): AdvanceResult {
  return advance('ready', {
    patch: { sealedSecrets: null, warnings, lastSeen: null },
    clientPatch: { agentConfig: config },
    events: warnings.map((code) => ({
      type: 'note',
      message: WARNING_MESSAGES[code] ?? code,
      data: { warning: code },
    })),
    ...(report ? { report } : {}),
  });
}
