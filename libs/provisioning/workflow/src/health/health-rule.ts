import type { Health } from '@agent-controller/clients';
import type { AgentLook } from '../agent/agent-health';

/** What is known of an agent-manager; nulls before the first look. */
export interface HealthState {
  health: Health | null;
  since: Date | null;
  /** When the first of the latest looks without a good answer was over; null after a good one. */
  failingSince: Date | null;
}

/** One look without an answer may be a restart or a lost packet: it only takes note. The second one in a row counts. */
export function nextHealth(before: HealthState, look: AgentLook, at: Date): HealthState {
  if (look.state === 'unreachable') {
    if (before.failingSince === null) return { ...before, failingSince: at };
    return changeTo('unreachable', before, before.failingSince, before.failingSince);
  }
  return changeTo(look.state === 'unverified' ? assumed(before) : look.state, before, at, null);
}

/** Whether the next look should come soon, since this one was the first without an answer. */
export function isInDoubt(before: HealthState, after: HealthState): boolean {
  return before.failingSince === null && after.failingSince !== null;
}

/** Whoever could not be asked about credentials is believed to think of them as before. */
function assumed({ health }: HealthState): Health {
  return health === 'credentials-refused' ? health : 'healthy';
}

function changeTo(health: Health, before: HealthState, at: Date, failingSince: Date | null): HealthState {
  return { health, since: health === before.health && before.since ? before.since : at, failingSince };
}
