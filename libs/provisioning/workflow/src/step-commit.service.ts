import { ClientRepository } from '@agent-controller/clients';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EventLog } from './event-log';
import type { NewEvent } from './event-rows';
import { enqueueJobs } from './jobs/job-queue';
import type { Phase } from './phases';
import { ProvisioningEvent } from './provisioning-event.entity';
import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningTombstone } from './provisioning-tombstone.entity';
import { ProvisioningRepository } from './provisioning.repository';
import { QuickCommit } from './quick-commit';
import { changesOf, tellPhase, type SeenRow, type StepChanges } from './step-changes';
import { jobsOf } from './step-jobs';
import type { StepResult } from './steps/step';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** Makes a step's result true: row, client, log and next job in one transaction, or nothing. */
@Injectable()
export class StepCommit {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly events: EventLog,
    private readonly quick: QuickCommit,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /** @returns false when version or lease are no longer what the step saw: nothing was written */
  async commit(seen: SeenRow, result: StepResult, now: Date): Promise<boolean> {
    const before = (await this.commitAtOnce(seen, result, now)) ?? (await this.commitUnderLock(seen, result, now));
    if (before) tellPhase(before, result, now);
    return before !== null;
  }

  /** The start of a phase outside a step, by a caller's request, in the caller's transaction that locked the row. */
  async begin(manager: EntityManager, row: ProvisioningReference, phase: Phase, events: NewEvent[], now: Date) {
    await this.apply(manager, row, this.changes(row, { kind: 'advance', phase, events }, now), now);
  }

  /** The end of the rows, and of the log after its last event, in the transaction that locked the row. */
  async end(manager: EntityManager, row: ProvisioningReference, last: NewEvent, now: Date) {
    const expiresAt = new Date(now.getTime() + this.options.tombstoneRetentionMs);
    await this.events.append(manager, row, [last], now);
    await manager.update(ProvisioningEvent, { provisioningId: row.id }, { expiresAt });
    const client = await this.clients.get(row.clientId, manager);
    await this.clients.delete(row.clientId, manager);
    return { client, expiresAt };
  }

  /** By one statement, as long as nobody else has touched the row. @returns null when somebody has, or nothing may be written */
  private async commitAtOnce(seen: SeenRow, result: StepResult, now: Date): Promise<SeenRow['reference'] | null> {
    if (result.kind === 'gone') return null;
    return (await this.quick.save(seen, this.changes(seen.reference, result, now), now)) ? seen.reference : null;
  }

  private commitUnderLock({ reference: seen, leaseOwner }: SeenRow, result: StepResult, now: Date) {
    return this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lockForCommit(seen.id, { version: seen.version, leaseOwner }, manager);
      if (!row) return null;
      if (result.kind === 'gone') await this.bury(manager, row, now);
      else {
        const changes = this.changes(row, result, now);
        // Something woke the step while it ran.
        if (row.nudges !== seen.nudges && changes.delayMs !== null) changes.delayMs = 0;
        await this.apply(manager, row, changes, now);
      }
      return row;
    });
  }

  private changes(
    row: Readonly<ProvisioningReference>,
    result: Exclude<StepResult, { kind: 'gone' }>,
    now: Date,
  ): StepChanges {
    return changesOf(row, result, this.options, now);
  }

  private async apply(
    manager: EntityManager,
    row: ProvisioningReference,
    changes: StepChanges,
    now: Date,
  ): Promise<void> {
    const { reference, client, source, events } = changes;
    await manager.update(ProvisioningReference, { id: row.id }, reference);
    if (Object.keys(client).length > 0) await this.clients.update(row.clientId, client, manager);
    await this.events.appendNumbered(manager, [{ source, before: row.lastEventSeq, events }], now);
    await enqueueJobs(manager, jobsOf(row, changes));
  }

  /** The end of everything but the log and a tombstone. */
  private async bury(manager: EntityManager, row: ProvisioningReference, now: Date): Promise<void> {
    const last: NewEvent = { type: 'deleted', message: 'The server and everything of it is gone' };
    const { client, expiresAt } = await this.end(manager, row, last, now);
    await manager.insert(ProvisioningTombstone, {
      provisioningId: row.id,
      clientId: row.clientId,
      owner: client?.owner ?? '',
      providerType: row.providerType,
      serverId: row.serverId,
      attempt: row.attempt,
      deletedAt: now,
      expiresAt,
    });
  }
}
