import type { AgentCheck, AgentHealth, AgentLook } from '../agent/agent-health';
import type { AgentTarget } from '../agent/agent-target';

/** An agent-manager that says what a test wants, and whom it was asked about. */
export class FakeAgentHealth implements AgentHealth {
  problem: string | null = null;
  answer: AgentCheck = { state: 'ready', config: { gitRepositoryUrl: null, agentTypes: ['cursor'] }, warnings: [] };
  seen: AgentLook = { state: 'healthy' };
  readonly targets: AgentTarget[] = [];

  async proxyProblem(target: AgentTarget): Promise<string | null> {
    this.targets.push(target);
    return this.problem;
  }

  async check(target: AgentTarget): Promise<AgentCheck> {
    this.targets.push(target);
    return this.answer;
  }

  async look(target: AgentTarget): Promise<AgentLook> {
    this.targets.push(target);
    return this.seen;
  }
}
