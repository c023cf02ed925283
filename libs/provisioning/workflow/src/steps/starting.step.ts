import { ClientRepository } from '@agent-controller/clients';
import { Injectable } from '@nestjs/common';
import { AgentHealth } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import { pollDelayMs } from './poll-delay';
import { ready } from './ready.result';
import { wait, type StepContext, type StepResult } from './step';

/** Waits until the agent-manager is up, refuses strangers and accepts our credentials. */
@Injectable()
export class StartingStep {
  constructor(
    private readonly health: AgentHealth,
    private readonly clients: ClientRepository,
  ) {}

  async run({ client, reference, now, signal }: StepContext): Promise<StepResult> {
    const target = agentTarget(client);
    const credentials = this.clients.openCredentials(client);
    if (!target || !credentials) throw new Error('The client has no endpoint or no credentials');
    const check = await this.health.check(target, credentials, signal);
    if (check.state === 'ready') return ready(check);
    return wait(pollDelayMs(reference.phaseSince, now), { patch: { lastSeen: check.reason } });
  }
}
