import { Injectable } from '@nestjs/common';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { SWEPT_PHASES } from '../phases';
import { driftOf } from './server-drift';
import { ServerPresence } from './server-presence.service';
import type { SweepAction } from './sweep-decision';
import type { SweepRun } from './sweep-run';
import { SweptRows } from './swept-rows.repository';

/** Servers that are asked for by id in one sweep, so that a list that lags does not use up the rate limit. */
const MISSING_PER_SWEEP = 20;

/** Keeps what rows say of their own servers as the provider says it. */
@Injectable()
export class RowKeeper {
  constructor(
    private readonly sweptRows: SweptRows,
    private readonly presence: ServerPresence,
  ) {}

  async update(
    run: SweepRun,
    actions: readonly SweepAction[],
    rows: ReadonlyMap<string, ProvisioningReference>,
    signal: AbortSignal,
  ): Promise<void> {
    const unchanged: { id: string; serverId: string }[] = [];
    for (const action of actions) {
      const row = action.kind === 'known' && rows.get(action.row.id);
      if (signal.aborted) return;
      if (!row || action.kind !== 'known' || !SWEPT_PHASES.includes(row.phase)) continue;
      if (driftOf(row, action.server)) {
        await this.presence.saveSeen(row, action.server, run.provider, run.startedAt);
      } else unchanged.push({ id: row.id, serverId: action.server.id });
    }
    await this.sweptRows.touchSeen(unchanged, run.startedAt);
    await this.askForMissing(run, actions, rows, signal);
  }

  private async askForMissing(
    { provider }: SweepRun,
    actions: readonly SweepAction[],
    rows: ReadonlyMap<string, ProvisioningReference>,
    signal: AbortSignal,
  ): Promise<void> {
    const missing = actions.flatMap((action) => (action.kind === 'missing' ? (rows.get(action.row.id) ?? []) : []));
    for (const row of missing.slice(0, MISSING_PER_SWEEP)) {
      if (signal.aborted) return;
      await this.presence.ask(provider, row);
    }
  }
}
