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
  /** `report` is null where the server has none; `check` where none was wanted. */
  | { state: 'answers'; report: ServerReport | null; check: AgentCheck | null }
  /** `reason` is for people. */
  | { state: 'silent'; reason: string };

/** What one look at a ready agent-manager saw. `reason` is for people. */
export type AgentLook =
  | { state: 'healthy' }
  /** It is up, but whether it accepts our credentials could not be asked, through no fault of its own. */
  | { state: 'unverified' }
  | { state: 'unreachable' | 'credentials-refused'; reason: string };

/** How the controller sees an agent-manager from outside. Replaced in unit tests; everything else is real there. */
export abstract class AgentHealth {
  /**
   * Asks the server how far it is. Whatever it answers, it answers with its own key.
   * @param credentialsFor of what it says: with which to check the agent-manager as well; null for no check
   */
  abstract look(
    target: AgentTarget,
    signal: AbortSignal,
    credentialsFor?: (report: ServerReport | null) => AgentCredentials | null,
  ): Promise<ProxyAnswer>;

  abstract check(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentCheck>;

  /** Whether an agent-manager that was ready still is: less thorough than `check`, and cheaper. */
  abstract recheck(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentLook>;
}
