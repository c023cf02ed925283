import { CloudError, unlessGone } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { EventLog } from '../event-log';
import { ensureStep } from '../jobs/job-queue';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { serverColumns, ProvisioningRepository } from '../provisioning.repository';
import { stopsClock } from '../steps/cloud-failure';
import { LOGGER } from '../tokens';
import { OrphanKeeper } from './orphan-keeper.service';
import type { OwnedServer, SweepAction, SweptRow } from './sweep-decision';
import type { SweepRun } from './sweep-run';
import { SweepRepository } from './sweep.repository';
import { SweptRows } from './swept-rows.repository';

type Of<Kind extends SweepAction['kind']> = Extract<SweepAction, { kind: Kind }>;

/** Does what was decided about servers that are not their row's. Each looks at the rows again before it changes. */
@Injectable()
export class SweepActions {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly sweeps: SweepRepository,
    private readonly sweptRows: SweptRows,
    private readonly orphans: OrphanKeeper,
    private readonly events: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async apply(run: SweepRun, action: SweepAction): Promise<void> {
    switch (action.kind) {
      case 'left-to-step':
        return ensureStep(this.provisionings.manager, action.row.id);
      case 'take':
        return this.take(run, action);
      case 'surplus':
        return this.surplus(run, action);
      case 'late':
        return this.late(run, action);
      case 'ahead':
        return this.report(run, action.server, action.row);
      case 'abandoned':
        await this.orphans.save(run, action.server, 'abandoned');
        return;
      case 'orphan':
        return this.orphans.report(run, action.server);
      default:
    }
  }

  /** After an order whose answer was lost: what is billed gets known. */
  private async take(run: SweepRun, { row: seen, server }: Of<'take'>): Promise<void> {
    const taken = await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(seen.id, manager);
      if (!row || row.serverId !== null || row.phase !== seen.phase || row.attempt !== seen.attempt) return false;
      await manager.update(
        ProvisioningReference,
        { id: row.id },
        {
          ...serverColumns(server),
          sentinelId: row.sentinelId ?? run.sentinelId,
          observedAt: run.startedAt,
          version: row.version + 1,
        },
      );
      const message = `A server of this provisioning was found: ${server.name} (${server.id}). Its order had no clear answer`;
      const data = { serverId: server.id, serverName: server.name };
      await this.events.append(manager, row, [{ type: 'note', message, data }], run.startedAt);
      return true;
    });
    if (taken) this.logger.warn(fields(run, server), 'found the server of an order whose answer was lost');
  }

  /** Keeps the row's own server while there is one, and never destroys the last one. */
  private async surplus(run: SweepRun, { row, server }: Of<'surplus'>): Promise<void> {
    await this.report(run, server, row);
    if (await this.sweeps.isPaused(run.provider.type)) return;
    if (row.serverId !== null && !(await this.isThere(run, row.serverId))) return;
    if (!(await this.mayDestroy(run, row))) return;
    await this.destroy(run, server, 'destroying a second server of a provisioning');
  }

  private async isThere({ provider }: SweepRun, serverId: string): Promise<boolean> {
    const own = await unlessGone(provider.get(serverId));
    return own !== null && own.status !== 'deleting';
  }

  /** What was decided by holds still. From here on the server can never become its row's: attempts only count up. */
  private mayDestroy(run: SweepRun, seen: SweptRow): Promise<boolean> {
    return this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(seen.id, manager);
      const isSame =
        row?.serverId === seen.serverId &&
        row.phase === seen.phase &&
        row.attempt === seen.attempt &&
        seen.id === row.id;
      return isSame && (await this.sweeps.isCurrent(run.provider.type, run.id));
    });
  }

  /** Shows the server until it is gone, and tells its row once. */
  private async report(run: SweepRun, server: OwnedServer, row: SweptRow): Promise<void> {
    if (!(await this.orphans.save(run, server, 'surplus'))) return;
    this.logger.warn({ ...fields(run, server), attempt: server.owner.attempt }, 'a provisioning has a second server');
    await this.provisionings.transaction(async (manager) => {
      const locked = await this.provisionings.lock(row.id, manager);
      if (!locked) return;
      const message = `A second server of this provisioning was found: ${server.name} (${server.id})`;
      const data = { serverId: server.id, serverName: server.name, attempt: server.owner.attempt };
      await this.events.append(manager, locked, [{ type: 'note', message, data }], run.startedAt);
    });
  }

  /** A server that showed up after everything of its provisioning was deleted. */
  private async late(run: SweepRun, { server }: Of<'late'>): Promise<void> {
    const { provisioningId } = server.owner;
    await this.sweptRows.noteLateServer(provisioningId, run.startedAt);
    if (server.status === 'deleting') return;
    // The tombstone is held meanwhile: without it, somebody might adopt the server.
    await this.sweeps.transaction(async (manager) => {
      if (!(await this.sweptRows.lockTombstone(provisioningId, manager))) return;
      const place = { providerType: run.provider.type, serverId: server.id, provisioningId };
      if (await this.sweptRows.rowOf(place, manager)) return;
      await this.destroy(run, server, 'destroying a server that showed up after its deletion');
    });
  }

  /** One that cannot be destroyed now must not keep the others from being looked at. */
  private async destroy({ provider, ...run }: SweepRun, server: OwnedServer, message: string): Promise<void> {
    this.logger.warn(fields({ provider, ...run }, server), message);
    try {
      await provider.destroy(server.id);
    } catch (error) {
      if (!(error instanceof CloudError) || isAboutProvider(error)) throw error;
      const { kind } = error;
      this.logger.warn({ ...fields({ provider, ...run }, server), kind, err: error }, 'a server is not destroyed yet');
    }
  }
}

/** Whether asking on is of no use now. */
export function isAboutProvider(error: CloudError): boolean {
  return error.kind === 'auth' || stopsClock(error);
}

function fields({ provider }: SweepRun, { id, name, owner }: OwnedServer) {
  return { provider: provider.type, serverId: id, serverName: name, provisioningId: owner.provisioningId };
}
