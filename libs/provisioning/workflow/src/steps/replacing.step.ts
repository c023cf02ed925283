import { ClientRepository } from '@agent-controller/clients';
import { Injectable } from '@nestjs/common';
import { AgentHealth } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import { ServerMaterialService } from '../server-material.service';
import { firstChoice } from './order-choices';
import { ready } from './ready.result';
import { ServerRemoval } from './server-removal';
import { advance, wait, type StepContext, type StepResult } from './step';

/** After a retry: takes the agent as it is when it works by now; otherwise removes its server and orders a new one. */
@Injectable()
export class ReplacingStep {
  constructor(
    private readonly health: AgentHealth,
    private readonly clients: ClientRepository,
    private readonly removal: ServerRemoval,
    private readonly material: ServerMaterialService,
  ) {}

  async run(context: StepContext): Promise<StepResult> {
    const decided = await this.checkAgent(context);
    if (decided) return decided;
    const result = await this.removal.run(context);
    return result === 'gone' ? this.nextAttempt(context) : result;
  }

  /**
   * That an agent is given up must be saved before its server is touched: an agent that still answers while its server
   * is being deleted would be taken for ready otherwise, and a check that was cut short for a sick agent.
   */
  private async checkAgent({ client, reference, signal }: StepContext): Promise<StepResult | null> {
    const target = agentTarget(client);
    const credentials = this.clients.openCredentials(client);
    if (!target || !credentials || reference.destroyRequestedAt) return null;
    const check = await this.health.check(target, credentials, signal);
    if (check.state === 'ready') return ready(check);
    return wait(0, { clientPatch: { endpoint: null }, patch: { lastSeen: check.reason } });
  }

  /** User data runs only once and names are unique: a new server gets a new attempt and new secrets of its own. */
  private async nextAttempt({ reference, client, now }: StepContext): Promise<StepResult> {
    const attempt = reference.attempt + 1;
    const { tls, sealedSecrets } = await this.material.renew(reference, client, now);
    return advance('creating-server', {
      patch: {
        ...firstChoice(reference),
        attempt,
        attemptSince: now,
        pausedMs: 0,
        pausedSince: null,
        phaseTimes: {},
        sealedSecrets,
        serverId: null,
        serverName: null,
        serverCreatedAt: null,
        publicIp: null,
        privateIp: null,
        serverStatus: null,
        observedAt: null,
        missingSince: null,
        providerMetadata: {},
        createRequestedAt: null,
        destroyRequestedAt: null,
        lastSeen: null,
        warnings: [],
        report: null,
      },
      clientPatch: {
        endpoint: null,
        agentConfig: null,
        tlsCertificatePem: tls.certificatePem,
        tlsSpkiSha256: tls.spkiSha256,
        tlsServerName: tls.serverName,
      },
      events: [{ type: 'note', message: `The earlier server is gone; attempt ${attempt} begins` }],
    });
  }
}
