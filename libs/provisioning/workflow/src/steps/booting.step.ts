import { unlessGone } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { agentEndpoint } from '../agent/agent-target';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { observedColumns } from '../provisioning.repository';
import { SentinelService } from '../sentinel.service';
import { advance, fail, wait, type AdvanceResult, type StepContext, type StepResult } from './step';

// The observer wakes this step when the provider says something new; this is only in case it does not.
const FALLBACK_MS = 25_000;
/** While the provider does not find the server. */
const ASK_AGAIN_MS = 15_000;

/** The end of the boot, of a server that runs and has an address; null before. */
export function bootedResult({
  serverStatus,
  publicIp,
}: Pick<ProvisioningReference, 'serverStatus' | 'publicIp'>): AdvanceResult | null {
  if (serverStatus !== 'running' || !publicIp) return null;
  return advance('installing', {
    patch: { missingSince: null, lastSeen: null },
    clientPatch: { endpoint: agentEndpoint(publicIp) },
    events: [{ type: 'note', message: `The server runs at ${publicIp}` }],
  });
}

/** Waits until the provider says that the server runs and has an address. */
@Injectable()
export class BootingStep {
  constructor(private readonly sentinel: SentinelService) {}

  async run(context: StepContext): Promise<StepResult> {
    const { reference, now } = context;
    const booted = bootedResult(reference);
    if (booted) return booted;
    const unseenMs = now.getTime() - (reference.observedAt ?? reference.phaseSince).getTime();
    // A new server may be missing from the observer's looks for as long, before it is asked for by id.
    // Somebody who asked for `info` may have found it missing; that counts as a look, and would put this one off.
    if (unseenMs > context.visibilityGraceMs || reference.missingSince) return this.askById(context);
    const seen = `${context.provider.displayName} says: ${String(reference.providerMetadata['providerStatus'] ?? '?')}`;
    return wait(FALLBACK_MS, { patch: { lastSeen: seen } });
  }

  private async askById({ reference, provider, now, visibilityGraceMs }: StepContext): Promise<StepResult> {
    const server = await unlessGone(provider.get(reference.serverId ?? ''));
    if (server) {
      return wait(ASK_AGAIN_MS, {
        patch: { ...observedColumns(server), observedAt: now, missingSince: null },
      });
    }
    if (!(await this.sentinel.isVisible(provider, reference.sentinelId))) {
      return fail({
        code: 'wrong-project',
        message: `The token no longer sees the project in which server ${reference.serverId} was made.`,
        action: "Configure the API token of the server's own project. Then retry, or delete.",
      });
    }
    // "Not found" must stand for as long before a server counts as vanished.
    if (reference.missingSince && now.getTime() - reference.missingSince.getTime() >= visibilityGraceMs) {
      return fail({
        code: 'server-vanished',
        message: `${provider.displayName} accepted the order, but server ${reference.serverId} does not exist.`,
        action: 'Retry, perhaps at another time, or delete and request another location.',
      });
    }
    return wait(ASK_AGAIN_MS, {
      patch: { missingSince: reference.missingSince ?? now, lastSeen: 'The provider does not find the server' },
    });
  }
}
