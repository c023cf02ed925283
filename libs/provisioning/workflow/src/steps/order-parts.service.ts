import { CloudError, type CloudProvider } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { CallerKeysService } from '../caller-keys.service';
import { FirewallService, type ReadyFirewall } from '../firewall/firewall.service';
import { SentinelService } from '../sentinel.service';
import { cloudFailure } from './cloud-failure';
import { fail, wait, type StepContext, type StepResult } from './step';

const LOOK_AGAIN_MS = 3_000;
const FIREWALL_QUOTA_ACTION =
  "Raise the provider account's limit of firewalls, or remove some there that nothing needs; servers with the same " +
  'allowedCidrs and agentWsPort, all with sshKeys or all without, share one. Then retry, or delete.';

export interface Parts {
  /** Ours first. */
  sshKeyIds: string[];
  firewall: ReadyFirewall;
  /** Whether one of the keys may be gone at the provider since. */
  areKeysFromMemory: boolean;
}

/** What must be in the provider's project before a server is ordered: the callers' keys, and the server's firewall. */
@Injectable()
export class OrderParts {
  constructor(
    private readonly sentinel: SentinelService,
    private readonly callerKeys: CallerKeysService,
    private readonly firewalls: FirewallService,
  ) {}

  /** The firewall last: only for a while is it sure to stay. @returns what comes of the step where there is none */
  async ensure(context: StepContext, sentinelId: string): Promise<Parts | StepResult> {
    const { provider, instance, reference } = context;
    const wanted = reference.configuration.sshKeys ?? [];
    const areKeysFromMemory = this.callerKeys.remembers(provider, instance, wanted);
    const callerKeyIds = await this.callerKeys.ensure(provider, instance, wanted);
    try {
      const firewall = await this.firewalls.ensure({ provider, instance, reference, sentinelId });
      if (!firewall) return wait(LOOK_AGAIN_MS, { patch: { lastSeen: 'Its firewall was being removed as unused' } });
      const sshKeyIds = [...new Set([sentinelId, ...callerKeyIds])];
      return { sshKeyIds, firewall, areKeysFromMemory };
    } catch (error) {
      if (!(error instanceof CloudError) || error.kind !== 'quota') throw error;
      return fail({ ...cloudFailure(error), action: FIREWALL_QUOTA_ACTION });
    }
  }

  async forget(provider: CloudProvider, { firewall }: Parts): Promise<void> {
    this.sentinel.forget(provider.type);
    this.callerKeys.forget(provider);
    await this.firewalls.forget(provider, firewall);
  }
}

/** Whether an order may have been refused for something that was there when it was last asked for. */
export function mayBeGone({ areKeysFromMemory, firewall }: Parts, { kind, message }: CloudError): boolean {
  const isAboutFirewall = kind === 'not-found' || /firewall/i.test(message);
  return areKeysFromMemory || (firewall.isFromMemory && isAboutFirewall);
}
