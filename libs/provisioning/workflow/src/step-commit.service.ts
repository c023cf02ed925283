import { ClientRepository, NO_HEALTH, type Client } from '@agent-controller/clients';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EventLog, type NewEvent } from './event-log';
import { enqueueAgentWatch, enqueueAwaitedStep, enqueueObservation, enqueueStep } from './jobs/job-queue';
import { canFollow, PHASE_DISPLAY, SETTLED_PHASES, WATCHED_PHASES, type Phase } from './phases';
import { ProvisioningEvent } from './provisioning-event.entity';
import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningTombstone } from './provisioning-tombstone.entity';
import { ProvisioningRepository } from './provisioning.repository';
import type { ProvisioningFailure } from './provisioning.types';
import { reportEvents } from './reports/report-news';
import { isNewer } from './reports/server-report';
import { phaseEnded } from './signals';
import type { StepResult } from './steps/step';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** Phases in which the server may report. */
const REPORTING_PHASES: readonly Phase[] = ['booting', 'installing', 'starting'];
/** Phases in which it may fetch its secret files. It has them when its proxy answers. */
const REDEEMING_PHASES: readonly Phase[] = ['booting', 'installing'];
/** No server runs sooner after its order. */
const FIRST_LOOK_MS = 1_500;
/** Phases that begin with waiting, for whom others wake the step; in case that nobody does, it looks after a while. */
const AWAITED_PHASES: readonly Phase[] = ['booting', ...WATCHED_PHASES];
const FIRST_STEP_MS = 15_000;

/** What the row was when the step began. */
export interface SeenRow {
  reference: Readonly<ProvisioningReference>;
  leaseOwner: string;
}

/** Makes a step's result true: row, client, log and next job in one transaction, or nothing. */
@Injectable()
export class StepCommit {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly events: EventLog,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /** @returns false when version or lease are no longer what the step saw: nothing was written */
  async commit({ reference: seen, leaseOwner }: SeenRow, result: StepResult, now: Date): Promise<boolean> {
    const before = await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lockForCommit(seen.id, { version: seen.version, leaseOwner }, manager);
      if (!row) return null;
      if (result.kind === 'gone') await this.bury(manager, row, now);
      else await this.apply(manager, row, result, { now, delayMs: row.nudges === seen.nudges ? undefined : 0 });
      return row;
    });
    if (before) tellPhase(before, result, now);
    return before !== null;
  }

  /** The start of a phase outside a step, by a caller's request, in the caller's transaction that locked the row. */
  async begin(manager: EntityManager, row: ProvisioningReference, phase: Phase, events: NewEvent[], now: Date) {
    await this.apply(manager, row, { kind: 'advance', phase, events }, { now });
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

  private async apply(
    manager: EntityManager,
    row: ProvisioningReference,
    result: Exclude<StepResult, { kind: 'gone' }>,
    { now, delayMs }: { now: Date; delayMs?: number },
  ): Promise<void> {
    const phase = nextPhase(row, result);
    const changed = phase !== row.phase;
    if (changed && !canFollow(row.phase, phase)) throw new Error(`${phase} cannot follow ${row.phase}`);
    const failure: ProvisioningFailure | null =
      result.kind === 'fail' ? { ...result.failure, phase: row.phase, at: now.toISOString() } : null;
    const report = result.report && isNewer(result.report, row.report) ? result.report : null;
    const source = { ...row, attempt: result.patch?.attempt ?? row.attempt, phase };
    const news = report ? reportEvents(report, row.report) : [];
    const events = [...news, ...(result.events ?? []), ...phaseEvents(changed, phase, failure)];
    await manager.update(
      ProvisioningReference,
      { id: row.id },
      {
        ...result.patch,
        ...(report ? { report } : {}),
        ...(failure ? { lastError: failure } : {}),
        ...(changed ? this.phaseColumns(row, result, phase, now) : {}),
        lastEventSeq: row.lastEventSeq + events.length,
        version: row.version + 1,
        leaseOwner: null,
        leaseUntil: null,
      },
    );
    const clientPatch = { ...result.clientPatch, ...healthColumns(row.phase, phase, now) };
    if (Object.keys(clientPatch).length > 0) await this.clients.update(row.clientId, clientPatch, manager);
    await this.events.appendNumbered(manager, [{ source, before: row.lastEventSeq, events }], now);
    if (SETTLED_PHASES.includes(phase)) return;
    if (phase === 'booting' && changed) await enqueueObservation(manager, row.providerType, FIRST_LOOK_MS);
    if (WATCHED_PHASES.includes(phase) && changed) await enqueueAgentWatch(manager);
    const enqueue = AWAITED_PHASES.includes(phase) ? enqueueAwaitedStep : enqueueStep;
    await enqueue(manager, row.id, delayMs ?? (changed ? firstStepMs(phase, result) : waitMs(result)));
  }

  private phaseColumns(row: ProvisioningReference, result: StepResult, phase: Phase, now: Date) {
    const patch = 'patch' in result ? result.patch : undefined;
    const earlier = patch?.phaseTimes ?? row.phaseTimes;
    return {
      phase,
      phaseSince: now,
      phaseTimes: { ...earlier, [phase]: now.toISOString() },
      consecutiveErrors: 0,
      pausedMsBeforePhase: patch?.pausedMs ?? row.pausedMs,
      // Whatever the server still has to say is of no use any more.
      ...(REPORTING_PHASES.includes(phase) ? {} : { callbackTokenHash: null }),
      ...(REDEEMING_PHASES.includes(phase) ? {} : { bootstrapTokenHash: null }),
      ...(WATCHED_PHASES.includes(phase) ? { healthDueAt: null } : {}),
      // Its last step has just looked.
      ...(phase === 'ready' ? { healthDueAt: new Date(now.getTime() + this.options.healthCheckIntervalMs) } : {}),
    };
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

function tellPhase(row: ProvisioningReference, result: StepResult, now: Date): void {
  const { providerType: provider, phase, phaseSince, createdAt, attempt } = row;
  const to = result.kind === 'gone' ? 'gone' : nextPhase(row, result);
  if (to === phase) return;
  const seconds = (now.getTime() - phaseSince.getTime()) / 1000;
  const sinceOrder = to === 'ready' && attempt === 1 ? (now.getTime() - createdAt.getTime()) / 1000 : null;
  phaseEnded.tell({ provider, phase, to, seconds, sinceOrder });
}

function waitMs(result: StepResult): number {
  return result.kind === 'wait' ? result.delayMs : 0;
}

/** At once, unless there is nothing to do yet. */
function firstStepMs(phase: Phase, { patch }: Exclude<StepResult, { kind: 'gone' }>): number {
  return AWAITED_PHASES.includes(phase) && patch?.serverStatus !== 'running' ? FIRST_STEP_MS : 0;
}

/** Where the row goes. Once nobody wants the server any more, whatever a step found leads to its deletion. */
function nextPhase(row: ProvisioningReference, result: StepResult): Phase {
  if (row.intent === 'absent' && row.phase !== 'deleting') return 'deleting';
  if (result.kind === 'fail') return 'failed';
  return result.kind === 'advance' ? result.phase : row.phase;
}

/** Ready means that it was seen to be healthy. Once it is not ready any more, nobody looks, and nothing is known. */
function healthColumns(before: Phase, after: Phase, now: Date): Partial<Client> {
  if (before === after) return {};
  if (after === 'ready') return { ...NO_HEALTH, health: 'healthy', healthSince: now, healthCheckedAt: now };
  return before === 'ready' ? NO_HEALTH : {};
}

function phaseEvents(changed: boolean, phase: Phase, failure: ProvisioningFailure | null): NewEvent[] {
  if (!changed) return [];
  const { message, progress } = PHASE_DISPLAY[phase];
  if (phase !== 'failed' || !failure) return [{ type: 'phase', message, data: { progress } }];
  const { code, action } = failure;
  return [
    { type: 'error', message: failure.message, data: { code, action } },
    { type: 'phase', message: `${message}: ${failure.message}`, data: { progress, code } },
  ];
}
