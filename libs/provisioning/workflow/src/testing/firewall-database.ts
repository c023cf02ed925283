import { FirewallRepository } from '../firewall/firewall.repository';
import { FirewallService } from '../firewall/firewall.service';
import { FakeCloudProvider } from './fake-cloud-provider';
import { WorkflowDatabase } from './workflow-database';

export const INSTANCE = { instanceId: '7c2a3c0e-2f5b-4b0a-9a55-000000000001' };
const START = new Date('2026-01-02T00:00:00Z').getTime();

/** What controllers with one database know of firewalls, beside a fake provider and a clock that stands still. */
export class FirewallDatabase {
  readonly provider = new FakeCloudProvider();
  readonly repository: FirewallRepository;
  #now = START;

  private constructor(readonly database: WorkflowDatabase) {
    this.repository = new FirewallRepository(database.dataSource, database.options);
  }

  static async create(): Promise<FirewallDatabase> {
    return new FirewallDatabase(await WorkflowDatabase.create());
  }

  get now(): Date {
    return new Date(this.#now);
  }

  pass(seconds: number): void {
    this.#now += seconds * 1_000;
  }

  /** Of another controller each time. */
  controller(controllerCidrs: readonly string[] = []): FirewallService {
    const options = { ...this.database.options, controllerCidrs };
    return new FirewallService(this.repository, options, { now: () => this.now });
  }

  /** Asks as a step does right before its order. */
  ensure(service: FirewallService, { sentinelId = 'key', allowedCidrs = ['192.0.2.0/24'] } = {}) {
    const reference = { configuration: { agentWsPort: 8080, allowedCidrs } as never };
    return service.ensure({ provider: this.provider, instance: INSTANCE, reference, sentinelId });
  }

  /** How often the provider was asked. */
  asked(): number {
    return this.provider.calls.filter((call) => call.startsWith('ensureFirewall')).length;
  }
}
