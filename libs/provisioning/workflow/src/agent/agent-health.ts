import type { AgentConfig, AgentCredentials } from '@agent-controller/clients';
import type { AgentTarget } from './agent-target';

export type AgentCheck =
  /** It is up, refuses strangers, and accepts our credentials, as far as `warnings` do not say otherwise. */
  | { state: 'ready'; config: AgentConfig | null; warnings: string[] }
  /** `reason` is for people. */
  | { state: 'not-ready'; reason: string };

/** What one look at a ready agent-manager saw. `reason` is for people. */
export type AgentLook =
  | { state: 'healthy' }
  /** It is up, but whether it accepts our credentials could not be asked, through no fault of its own. */
  | { state: 'unverified' }
  | { state: 'unreachable' | 'credentials-refused'; reason: string };

/** How the controller sees an agent-manager from outside. Replaced in unit tests; everything else is real there. */
export abstract class AgentHealth {
  /** Whether the server's proxy answers with the pinned key, whatever it answers. @returns null, or what is wrong */
  abstract proxyProblem(target: AgentTarget, signal: AbortSignal): Promise<string | null>;

  abstract check(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentCheck>;

  /** Whether an agent-manager that was ready still is: less thorough than `check`, and cheaper. */
  abstract look(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentLook>;
}
