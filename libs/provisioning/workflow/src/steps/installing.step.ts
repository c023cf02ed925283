import { Injectable } from '@nestjs/common';
import { AgentHealth } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import { pollDelayMs } from './poll-delay';
import { advance, wait, type StepContext, type StepResult } from './step';

/** Waits until the server's proxy answers with the key that was made for it. */
@Injectable()
export class InstallingStep {
  constructor(private readonly health: AgentHealth) {}

  async run({ client, reference, now, signal }: StepContext): Promise<StepResult> {
    const target = agentTarget(client);
    if (!target) throw new Error('The client has no endpoint yet');
    const problem = await this.health.proxyProblem(target, signal);
    if (problem === null) return advance('starting', { patch: { lastSeen: null } });
    return wait(pollDelayMs(reference.phaseSince, now), { patch: { lastSeen: problem } });
  }
}
