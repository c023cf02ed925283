import { NO_HEALTH, type Client } from '@agent-controller/clients';
import type { EventSource, NewEvent } from './event-rows';
import { canFollow, isWatched, PHASE_DISPLAY, SETTLED_PHASES, WATCHED_PHASES, type Phase } from './phases';
import type { ProvisioningReference } from './provisioning-reference.entity';
import type { ProvisioningFailure } from './provisioning.types';
import { reportEvents } from './reports/report-news';
import { isNewer } from './reports/server-report';
import { phaseEnded } from './signals';
import type { Patch, StepResult } from './steps/step';
import { untilTimeLimitMs } from './time-limit';
import type { WorkflowOptions } from './workflow.options';

/** Phases in which the server may report. */
const REPORTING_PHASES: readonly Phase[] = ['booting', 'installing', 'starting'];
/** Phases in which it may fetch its secret files. It has them when its proxy answers. */
const REDEEMING_PHASES: readonly Phase[] = ['booting', 'installing'];
/** Phases that begin with waiting, for whom others wake the step; in case that nobody does, it looks after a while. */
export const AWAITED_PHASES: readonly Phase[] = ['booting', ...WATCHED_PHASES];
const FIRST_STEP_MS = 25_000;

/** What the row was when the step began. */
export interface SeenRow {
  reference: Readonly<ProvisioningReference>;
  leaseOwner: string;
}

/** What of the configuration matters. */
export type StepLimits = Pick<WorkflowOptions, 'healthCheckIntervalMs' | 'provisioningTimeoutMs' | 'phaseTimeoutMs'>;

export type LastingResult = Exclude<StepResult, { kind: 'gone' }>;

/** What of a row its changes are made of. */
export const STEP_COLUMNS = [
  ...(['id', 'clientId', 'providerType', 'phase', 'phaseSince', 'phaseTimes', 'intent', 'attempt'] as const),
  ...(['attemptSince', 'createdAt', 'version', 'nudges', 'lastEventSeq', 'lastSeen', 'report'] as const),
  ...(['pausedSince', 'pausedMs', 'pausedMsBeforePhase', 'traceParent'] as const),
] as const;
export type StepRow = Readonly<Pick<ProvisioningReference, (typeof STEP_COLUMNS)[number]>>;

/** What a step's result makes of the rows. */
export interface StepChanges {
  phase: Phase;
  isNewPhase: boolean;
  reference: Patch;
  client: Partial<Client>;
  events: NewEvent[];
  /** What the events belong to. */
  source: EventSource;
  /** Until the next step; null when there is none. */
  delayMs: number | null;
}

/**
 * @param row as it is now, which may be more than the step saw
 * @throws Error for a phase that cannot follow
 */
export function changesOf(row: StepRow, result: LastingResult, limits: StepLimits, now: Date): StepChanges {
  const phase = nextPhase(row, result);
  const isNewPhase = phase !== row.phase;
  if (isNewPhase && !canFollow(row.phase, phase)) throw new Error(`${phase} cannot follow ${row.phase}`);
  const failure: ProvisioningFailure | null =
    result.kind === 'fail' ? { ...result.failure, phase: row.phase, at: now.toISOString() } : null;
  const report = result.report && isNewer(result.report, row.report) ? result.report : null;
  const news = report ? reportEvents(report, row.report) : [];
  const events = [...news, ...(result.events ?? []), ...phaseEvents(isNewPhase, phase, failure)];
  return {
    phase,
    isNewPhase,
    events,
    reference: {
      ...result.patch,
      ...(report ? { report } : {}),
      ...(failure ? { lastError: failure } : {}),
      ...(isNewPhase ? phaseColumns(row, result, phase, limits, now) : {}),
      lastEventSeq: row.lastEventSeq + events.length,
      version: row.version + 1,
      leaseOwner: null,
      leaseUntil: null,
    },
    client: { ...result.clientPatch, ...healthColumns(row.phase, phase, now) },
    source: { id: row.id, clientId: row.clientId, attempt: result.patch?.attempt ?? row.attempt, phase },
    delayMs: SETTLED_PHASES.includes(phase)
      ? null
      : isNewPhase
        ? firstStepMs(phase, result)
        : Math.min(waitMs(result), untilTimeLimitMs({ ...row, ...result.patch }, limits, now) ?? Infinity),
  };
}

/** Where the row goes. Once nobody wants the server any more, whatever a step found leads to its deletion. */
export function nextPhase(row: StepRow, result: StepResult): Phase {
  if (row.intent === 'absent' && row.phase !== 'deleting') return 'deleting';
  if (result.kind === 'fail') return 'failed';
  return result.kind === 'advance' ? result.phase : row.phase;
}

function phaseColumns(
  row: StepRow,
  { patch }: LastingResult,
  phase: Phase,
  { healthCheckIntervalMs }: StepLimits,
  now: Date,
): Patch {
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
    ...(isWatched(phase) ? { healthDueAt: patch?.healthDueAt ?? null } : {}),
    // Its last step has just looked.
    ...(phase === 'ready' ? { healthDueAt: new Date(now.getTime() + healthCheckIntervalMs) } : {}),
  };
}

/** The provider answered: errors are over, and the clock goes on. While booting only the observer asks it. */
export function recovered(row: Pick<StepRow, 'phase' | 'pausedSince' | 'pausedMs'>, now: Date): Patch {
  const patch: Patch = { consecutiveErrors: 0, lastError: null };
  if (!row.pausedSince) return patch;
  if (row.phase === 'booting') return { consecutiveErrors: 0 };
  const pausedMs = row.pausedMs + Math.max(0, now.getTime() - row.pausedSince.getTime());
  return { ...patch, pausedSince: null, pausedMs };
}

/** Tells that a phase is over, once that is saved. */
export function tellPhase(row: StepRow, result: StepResult, now: Date): void {
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
function firstStepMs(phase: Phase, { patch }: LastingResult): number {
  return AWAITED_PHASES.includes(phase) && patch?.serverStatus !== 'running' ? FIRST_STEP_MS : 0;
}

/** Ready means that it was seen to be healthy. Once it is not ready any more, nobody looks, and nothing is known. */
function healthColumns(before: Phase, after: Phase, now: Date): Partial<Client> {
  if (before === after) return {};
  if (after === 'ready') return { ...NO_HEALTH, health: 'healthy', healthSince: now, healthCheckedAt: now };
  return before === 'ready' ? NO_HEALTH : {};
}

function phaseEvents(isNewPhase: boolean, phase: Phase, failure: ProvisioningFailure | null): NewEvent[] {
  if (!isNewPhase) return [];
  const { message, progress } = PHASE_DISPLAY[phase];
  if (phase !== 'failed' || !failure) return [{ type: 'phase', message, data: { progress } }];
  const { code, action } = failure;
  return [
    { type: 'error', message: failure.message, data: { code, action } },
    { type: 'phase', message: `${message}: ${failure.message}`, data: { progress, code } },
  ];
}
