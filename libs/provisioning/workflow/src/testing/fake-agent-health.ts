import type { AgentCredentials } from '@agent-controller/clients';
import type { AgentCheck, AgentHealth, AgentLook, ProxyAnswer } from '../agent/agent-health';
import type { AgentTarget } from '../agent/agent-target';
import type { ServerReport } from '../reports/server-report';

/** An agent-manager that says what a test wants, and whom it was asked about. */
export class FakeAgentHealth implements AgentHealth {
  problem: string | null = null;
  report: ServerReport | null = null;
  answer: AgentCheck = { state: 'ready', config: { gitRepositoryUrl: null, agentTypes: ['cursor'] }, warnings: [] };
  seen: AgentLook = { state: 'healthy' };
  readonly targets: AgentTarget[] = [];
  /** With what the agent-manager itself was checked in looks. */
  readonly checkedWith: AgentCredentials[] = [];

  async look(
    target: AgentTarget,
    _signal?: AbortSignal,
    credentialsFor: (report: ServerReport | null) => AgentCredentials | null = () => null,
  ): Promise<ProxyAnswer> {
    this.targets.push(target);
    if (this.problem !== null) return { state: 'silent', reason: this.problem };
    const credentials = credentialsFor(this.report);
    if (credentials) this.checkedWith.push(credentials);
    return { state: 'answers', report: this.report, check: credentials && this.answer };
  }

  async check(target: AgentTarget): Promise<AgentCheck> {
    this.targets.push(target);
    return this.answer;
  }

  async recheck(target: AgentTarget): Promise<AgentLook> {
    this.targets.push(target);
    return this.seen;
  }
}
