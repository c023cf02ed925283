import type { AgentConfig, AgentCredentials } from '@agent-controller/clients';
import type { ServerReport } from '../reports/server-report';
import type { AgentTarget } from './agent-target';

export type AgentCheck =
  /** It is up, refuses strangers, and accepts our credentials, as far as `warnings` do not say otherwise. */
  | { state: 'ready'; config: AgentConfig | null; warnings: string[] }
  /** `reason` is for people. */
  | { state: 'not-ready'; reason: string };

/** What the server's proxy answers with the pinned key. */
export type ProxyAnswer =
  /** `report` is null where the server has none. */
  | { state: 'answers'; report: ServerReport | null }
  /** `reason` is for people. */
  | { state: 'silent'; reason: string };

/** How the controller sees an agent-manager from outside. Replaced in unit tests; everything else is real there. */
export abstract class AgentHealth {
  /** Asks the server how far it is. Whatever it answers, it answers with its own key. */
  abstract look(target: AgentTarget, signal: AbortSignal): Promise<ProxyAnswer>;

  abstract check(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentCheck>;
}
