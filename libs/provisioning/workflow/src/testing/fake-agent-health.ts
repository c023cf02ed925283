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
  /** How often it was asked whether the agent-manager itself is up. */
  upAsked = 0;

  async look(
    target: AgentTarget,
    _signal?: AbortSignal,
    mayBeUp: (report: ServerReport | null) => boolean = () => false,
  ): Promise<ProxyAnswer> {
    this.targets.push(target);
    if (this.problem !== null) return { state: 'silent', reason: this.problem };
    const isAsked = mayBeUp(this.report);
    if (isAsked) this.upAsked += 1;
    return { state: 'answers', report: this.report, isUp: isAsked && this.answer.state === 'ready' };
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
