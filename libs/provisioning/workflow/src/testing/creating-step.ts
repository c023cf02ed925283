import type { CloudError } from '@agent-controller/cloud-port';
import { CallerKeysService } from '../caller-keys.service';
import type { FirewallService, ReadyFirewall } from '../firewall/firewall.service';
import { SentinelService } from '../sentinel.service';
import { CreatingServerStep } from '../steps/creating-server.step';
import { OrderParts } from '../steps/order-parts.service';
import type { UserDataService } from '../user-data.service';

/** Answers a firewall, as its test says. */
export class FakeFirewalls {
  answer: Partial<ReadyFirewall> | null = {};
  error: CloudError | null = null;
  forgotten = 0;

  async ensure(): Promise<ReadyFirewall | null> {
    if (this.error) throw this.error;
    return this.answer && { name: 'wall', key: 'key-1', isFromMemory: false, isHeld: () => true, ...this.answer };
  }

  async forget(): Promise<void> {
    this.forgotten++;
    this.answer = { ...this.answer, isFromMemory: false };
  }
}

/** The step beside firewalls that a test plays. */
export function creatingStep(userData: UserDataService, firewalls = new FakeFirewalls()): CreatingServerStep {
  const sentinel = new SentinelService();
  const parts = new OrderParts(sentinel, new CallerKeysService(), firewalls as unknown as FirewallService);
  return new CreatingServerStep(sentinel, userData, parts);
}
