import { PHASE_DISPLAY, type Phase } from './phases';
import type { ProvisioningReference } from './provisioning-reference.entity';
import type { Failure } from './steps/step';

const LIMITED_PHASES: readonly Phase[] = ['creating-server', 'booting', 'installing', 'starting'];

type Timed = Pick<ProvisioningReference, 'phase' | 'attemptSince' | 'pausedMs' | 'pausedSince' | 'lastSeen'>;

/** How long an attempt has lasted, without the time in which the provider could not be asked. */
export function elapsedMs({ attemptSince, pausedMs, pausedSince }: Timed, now: Date): number {
  const until = pausedSince ?? now;
  return Math.max(0, until.getTime() - attemptSince.getTime() - pausedMs);
}

/** Why the attempt is over, or null while it is not. Removing a server has no limit. */
export function timeLimitFailure(reference: Timed, limitMs: number, now: Date): Failure | null {
  if (!LIMITED_PHASES.includes(reference.phase) || elapsedMs(reference, now) < limitMs) return null;
  const seen = reference.lastSeen ? ` Last seen: ${reference.lastSeen}.` : '';
  return {
    code: 'timed-out',
    message:
      `Not ready after ${Math.round(limitMs / 1000)} s, in the phase ${reference.phase} ` +
      `(${PHASE_DISPLAY[reference.phase].message}).${seen}`,
    action: 'Retry: a new server is made in its place. Or delete. The server is billed until one of both.',
  };
}
