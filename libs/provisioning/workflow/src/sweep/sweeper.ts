import {
  CloudError,
  CloudProviderRegistry,
  type CloudProvider,
  type CloudServer,
  type ProviderType,
} from '@agent-controller/cloud-port';
import type { Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { InstanceService } from '../instance.service';
import { enqueueSweep } from '../jobs/job-queue';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { sweepEnded } from '../signals';
import { backOffMs } from '../steps/cloud-failure';
import { CLOCK, LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { FirewallSweep } from './firewall-sweep.service';
import { KeySweep } from './key-sweep.service';
import { OrphanKeeper } from './orphan-keeper.service';
import type { ProviderSweep } from './provider-sweep.entity';
import { RowKeeper } from './row-keeper.service';
import { SweepActions } from './sweep-actions.service';
import { decide } from './sweep-decision';
import { SweepPause } from './sweep-pause.service';
import type { SweepRun } from './sweep-run';
import { SweepRepository } from './sweep.repository';
import { SweptRows } from './swept-rows.repository';

const WRONG_PROJECT =
  'Our key is not visible with the configured token, so what it lists may be another project. Nothing was compared.';

/**
 * Compares everything at a provider that carries our label with the rows, once for all controllers. Only a list that
 * came to its end counts. More than one run at a time does no harm: the latest one has the right to act.
 */
@Injectable()
export class Sweeper {
  /** Errors in a row, for the back-off. */
  readonly #errors = new Map<ProviderType, number>();

  constructor(
    private readonly sweeps: SweepRepository,
    private readonly sweptRows: SweptRows,
    private readonly providers: CloudProviderRegistry,
    private readonly instances: InstanceService,
    private readonly rows: RowKeeper,
    private readonly actions: SweepActions,
    private readonly orphans: OrphanKeeper,
    private readonly pause: SweepPause,
    private readonly keys: KeySweep,
    private readonly firewalls: FirewallSweep,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'sweep'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One sweep; asks for the next one. */
  async run(type: ProviderType, signal: AbortSignal): Promise<void> {
    const provider = this.providers.find(type);
    if (!provider) return;
    const delayMs = await this.nextDelayMs(provider, signal);
    await enqueueSweep(this.sweeps.manager, type, delayMs);
  }

  private async nextDelayMs(provider: CloudProvider, signal: AbortSignal): Promise<number> {
    const { intervalMs } = this.options.sweep;
    const { type } = provider;
    const id = randomUUID();
    try {
      await this.sweep(provider, id, signal);
      this.#errors.delete(type);
      // Another controller goes on.
      return signal.aborted ? 0 : intervalMs;
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      const errors = (this.#errors.get(type) ?? 0) + 1;
      this.#errors.set(type, errors);
      sweepEnded.tell({ provider: type, result: 'failed' });
      this.logger.warn({ provider: type, kind: error.kind, err: error }, 'a sweep did not come to its end');
      await this.sweeps.update(type, id, { lastError: error.message });
      return Math.max(error.retryAfterMs ?? 0, Math.min(intervalMs, backOffMs(errors)));
    }
  }

  private async sweep(provider: CloudProvider, id: string, signal: AbortSignal): Promise<void> {
    const { type } = provider;
    const startedAt = this.clock.now();
    const state = await this.sweeps.begin(type, id, startedAt);
    const { instanceId } = await this.instances.get();
    const servers = await all(provider.listOwned());
    // In this order, and after the list: a row is saved before its order is sent, and a tombstone before its row goes.
    const rows = await this.sweptRows.rows(type);
    const buried = await this.sweptRows.buried(type);
    const abandoned = await this.sweptRows.abandoned(type);
    const sentinelId = await this.sentinelOf(provider, state, rows);
    if (sentinelId === undefined) {
      this.logger.warn({ provider: type }, `a sweep did not come to its end: ${WRONG_PROJECT}`);
      await this.sweeps.update(type, id, { lastError: WRONG_PROJECT });
      sweepEnded.tell({ provider: type, result: 'failed' });
      return;
    }
    const run: SweepRun = { id, provider, startedAt, sentinelId };
    const decided = decide({ servers, rows, buried, abandoned, instanceId, listedAt: startedAt });
    const databaseFingerprint = await this.pause.check(type, state, decided, startedAt);
    await this.rows.update(run, decided, new Map(rows.map((row) => [row.id, row])), signal);
    for (const action of decided) {
      if (signal.aborted) return;
      await this.actions.apply(run, action);
    }
    const fleet = servers.filter(({ owner }) => owner?.instanceId === instanceId).length;
    await this.orphans.destroyOld(run, fleet);
    await this.complete(run, { servers: fleet, sentinelId, databaseFingerprint });
    await this.firewalls.run(run, state, servers);
    await this.keys.run(run, state);
  }

  private async complete(
    { id, provider: { type }, startedAt }: SweepRun,
    facts: Partial<ProviderSweep>,
  ): Promise<void> {
    const completed = { ...facts, coveredUntil: startedAt, completedAt: this.clock.now(), lastError: null };
    if (await this.sweeps.update(type, id, completed)) await this.sweeps.forgetUnseen(type, startedAt);
    sweepEnded.tell({ provider: type, result: 'completed' });
  }

  /** @returns null when nothing of ours was ever made there, undefined when the project is not the one it was made in */
  private async sentinelOf(
    provider: CloudProvider,
    state: ProviderSweep,
    rows: readonly ProvisioningReference[],
  ): Promise<string | null | undefined> {
    const newest = [...rows]
      .filter(({ sentinelId }) => sentinelId !== null)
      .sort((a, b) => (b.createRequestedAt?.getTime() ?? 0) - (a.createRequestedAt?.getTime() ?? 0))[0];
    const known = [...new Set([state.sentinelId, newest?.sentinelId ?? null])].filter((key) => key !== null);
    for (const key of known) if (await provider.hasSentinel(key)) return key;
    return known.length === 0 ? null : undefined;
  }
}

async function all(servers: AsyncIterable<CloudServer>): Promise<CloudServer[]> {
  const found: CloudServer[] = [];
  for await (const server of servers) found.push(server);
  return found;
}
