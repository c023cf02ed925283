import { PHASE_DISPLAY, type Phase } from './phases';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { RETRY_OR_DELETE, type Failure } from './steps/step';
import type { WorkflowOptions } from './workflow.options';

/** Phases on the way to `ready`. Removing a server has no limit. */
export const TIMED_PHASES = ['creating-server', 'booting', 'installing', 'starting'] as const;
export type TimedPhase = (typeof TIMED_PHASES)[number];

type Timed = Pick<
  ProvisioningReference,
  'phase' | 'phaseSince' | 'attemptSince' | 'pausedMs' | 'pausedMsBeforePhase' | 'pausedSince' | 'lastSeen'
>;
type Limits = Pick<WorkflowOptions, 'provisioningTimeoutMs' | 'phaseTimeoutMs'>;

/** How long an attempt has lasted, without the time in which the provider could not be asked. */
export function elapsedMs(timed: Timed, now: Date): number {
  return runningMs(timed, timed.attemptSince, timed.pausedMs, now);
}

/** The same for the present phase. */
export function phaseElapsedMs(timed: Timed, now: Date): number {
  return runningMs(timed, timed.phaseSince, timed.pausedMs - timed.pausedMsBeforePhase, now);
}

/** @param pausedMs of pauses that are over; one that lasts stops the clock where it began */
function runningMs({ pausedSince }: Timed, since: Date, pausedMs: number, now: Date): number {
  return Math.max(0, (pausedSince ?? now).getTime() - since.getTime() - pausedMs);
}

/** Why the attempt is over, or null while it is not. */
export function timeLimitFailure(reference: Timed, limits: Limits, now: Date): Failure | null {
  const phase = TIMED_PHASES.find((timed) => timed === reference.phase);
  if (!phase) return null;
  const phaseLimitMs = limits.phaseTimeoutMs[phase];
  if (elapsedMs(reference, now) >= limits.provisioningTimeoutMs) {
    return failure(`Not ready after ${inSeconds(limits.provisioningTimeoutMs)}, in the phase ${phase}`, reference);
  }
  if (phaseElapsedMs(reference, now) >= phaseLimitMs) {
    return failure(`The phase ${phase} did not end within ${inSeconds(phaseLimitMs)}`, reference);
  }
  return null;
}

/** Until the attempt or its present phase has lasted too long; null in phases without a limit, and while the clock stands. */
export function untilTimeLimitMs(reference: Timed, limits: Limits, now: Date): number | null {
  const phase = TIMED_PHASES.find((timed) => timed === reference.phase);
  if (!phase || reference.pausedSince) return null;
  const ofAttempt = limits.provisioningTimeoutMs - elapsedMs(reference, now);
  return Math.max(0, Math.min(ofAttempt, limits.phaseTimeoutMs[phase] - phaseElapsedMs(reference, now)));
}

function failure(what: string, { phase, lastSeen }: Timed): Failure {
  const seen = lastSeen ? ` Last seen: ${lastSeen}.` : '';
  return {
    code: 'timed-out',
    message: `${what} (${PHASE_DISPLAY[phase].message}).${seen}`,
    action: `${ADVICE[phase] ?? ''}${RETRY_OR_DELETE}`,
  };
}

const ADVICE: Partial<Record<Phase, string>> = {
  installing:
    'Look whether the server can reach the internet (download.docker.com, the registries of its images, and PUBLIC_URL ' +
    'where that is set), and whether this controller can reach its port 3000: where allowedCidrs was given, its address ' +
    'must be in there or in CONTROLLER_CIDRS. ',
  starting: 'Look at the event log and, on the server, at `docker compose logs` in /opt/agent-manager. ',
};

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
