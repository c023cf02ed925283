import {
  CloudError,
  firewallName,
  isFirewallOf,
  isSameInbound,
  type CloudServer,
  type ManagedFirewall,
} from '@agent-controller/cloud-port';
import type { Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { FirewallRepository } from '../firewall/firewall.repository';
import type { ProviderFirewall } from '../firewall/provider-firewall.entity';
import { InstanceService } from '../instance.service';
import { CLOCK, LOGGER } from '../tokens';
import { visibilityGraceMs, WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import type { ProviderSweep } from './provider-sweep.entity';
import type { SweepRun } from './sweep-run';
import { SweepRepository } from './sweep.repository';

type State = Pick<ProviderSweep, 'keysCheckedAt'>;

/**
 * Takes firewalls away that no server stands behind and no provisioning names, and puts those right that were changed
 * by hand before servers of ours. A later order makes again what it needs.
 */
@Injectable()
export class FirewallSweep {
  constructor(
    private readonly firewalls: FirewallRepository,
    private readonly instances: InstanceService,
    private readonly sweeps: SweepRepository,
    @Inject(WORKFLOW_OPTIONS)
    private readonly options: Pick<WorkflowOptions, 'sweep' | 'providerTimeoutMs' | 'leaseMs'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param servers all that carry our label, as just listed. Its errors are logged: servers were compared by now. */
  async run(run: SweepRun, state: State, servers: readonly CloudServer[]): Promise<void> {
    const { type } = run.provider;
    const known = await this.firewalls.all(type);
    if (known.length === 0 && !this.mayHaveForgotten(run, state)) return;
    try {
      await this.sweep(run, known, new Set(servers.flatMap(({ firewalls }) => firewalls)));
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      this.logger.warn({ provider: type, kind: error.kind, err: error }, 'the firewalls could not be swept');
    }
  }

  /** Also what an older state of the database knows nothing of, as often as the keys are listed. */
  private mayHaveForgotten({ startedAt }: SweepRun, { keysCheckedAt }: State): boolean {
    return !keysCheckedAt || startedAt.getTime() - keysCheckedAt.getTime() >= this.options.sweep.keyIntervalMs;
  }

  private async sweep(run: SweepRun, known: readonly ProviderFirewall[], used: ReadonlySet<string>): Promise<void> {
    const { provider, startedAt } = run;
    const { instanceId } = await this.instances.get();
    const ours = (await provider.listFirewalls()).filter((firewall) => isFirewallOf(firewall, instanceId));
    for (const firewall of ours) {
      if (!known.some(({ name }) => name === firewall.name)) {
        await this.firewalls.noteListed(provider.type, firewall, startedAt);
      }
    }
    const keyOf = ({ name, key }: ProviderFirewall) => ours.find((each) => each.name === name)?.key ?? key ?? name;
    const inFront = known.filter((firewall) => used.has(keyOf(firewall)));
    await this.putRight(run, instanceId, inFront, ours);
    const unused = ours.filter(({ key, isApplied }) => !isApplied && !used.has(key));
    // Rows may be missing from the database, and their orders with them.
    if (unused.length > 0 && (await this.sweeps.isPaused(provider.type))) return;
    for (const firewall of unused) await this.remove(run, firewall);
    const present = ours.map(({ name }) => name);
    await this.firewalls.forgetGone(provider.type, present, this.unusedSince(run), this.clock.now());
  }

  /** Where firewalls go by a tag, one that was deleted stands before its servers again when it is made again. */
  private async putRight(
    { provider }: SweepRun,
    instanceId: string,
    used: readonly ProviderFirewall[],
    listed: readonly ManagedFirewall[],
  ): Promise<void> {
    for (const { name, inbound } of used) {
      // Whatever else a row may hold: its name says what belongs in it.
      if (firewallName(instanceId, inbound) !== name) continue;
      const present = listed.find((firewall) => firewall.name === name);
      if (present && isSameInbound(present.inbound, inbound)) continue;
      await provider.ensureFirewall({ name, instanceId, inbound });
      const what = present ? 'changed' : 'deleted';
      this.logger.warn({ provider: provider.type, name }, `a firewall before servers was ${what} by hand; put right`);
    }
  }

  private async remove(run: SweepRun, { id, name }: ManagedFirewall): Promise<void> {
    const { provider } = run;
    const { type } = provider;
    const claimedAt = this.clock.now();
    if (!(await this.firewalls.claimRemoval(type, name, this.unusedSince(run), claimedAt))) return;
    const lastMoment = claimedAt.getTime() + this.options.providerTimeoutMs;
    try {
      await provider.removeFirewall(id, () => this.clock.now().getTime() < lastMoment);
      await this.firewalls.removed(type, name, claimedAt);
      this.logger.info({ provider: type, firewallId: id, name }, 'removed a firewall that no server stands behind');
    } catch (error) {
      // Where nobody knows whether it is gone, nobody may use it for a while.
      if (!(error instanceof CloudError) || error.kind === 'outcome-unknown') throw error;
      await this.firewalls.keepAfterAll(type, name, claimedAt);
      // In use: Hetzner lets go of it some time after the server's end.
      if (error.kind !== 'conflict') throw error;
    }
  }

  /** Whatever was ordered with a firewall before must have been in the list of servers. */
  private unusedSince({ startedAt }: SweepRun): Date {
    const { sweep, leaseMs } = this.options;
    const atLeastMs = leaseMs + 2 * visibilityGraceMs(this.options);
    return new Date(startedAt.getTime() - Math.max(sweep.orphanGraceMs, atLeastMs));
  }
}
