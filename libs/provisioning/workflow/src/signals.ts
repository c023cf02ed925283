import type { ProviderType, RequestPurpose } from '@agent-controller/cloud-port';
import { Signal } from '@agent-controller/kernel';
import type { Phase, WatchedPhase } from './phases';

// What this process does, for its metrics. Times are in seconds. Values of labels are few: no ids.

/**
 * A step, or a look, led a provisioning to another phase. `to` is `gone` after the last one; `sinceOrder` is how long it took from
 * the order to `ready` without a retry, null otherwise.
 */
export const phaseEnded = new Signal<{
  provider: ProviderType;
  phase: Phase;
  to: Phase | 'gone';
  seconds: number;
  sinceOrder: number | null;
}>();

/**
 * A request to a provider is over. `status`: that of the answer; `timeout` and `no-answer` when none came, and
 * `outcome-unknown` when it may have changed something all the same.
 */
export const providerRequestEnded = new Signal<{
  provider: ProviderType;
  purpose: RequestPurpose;
  status: string;
  seconds: number;
}>();

/** A job was run. `lateSeconds`: how long after it was due. */
export const jobEnded = new Signal<{
  task: string;
  result: 'done' | 'failed' | 'handed-back';
  lateSeconds: number;
  seconds: number;
}>();

/**
 * The observer saw the waiting servers of a provider, or was refused to. `lateSeconds`: how long after the time that it had
 * planned; null for the first look at those that wait.
 */
export const serversObserved = new Signal<{
  provider: ProviderType;
  result: 'seen' | 'failed';
  servers: number;
  lateSeconds: number | null;
}>();

/** The watch looked at a server that is being installed. `over`: its phase is; `news`: for its step, such as a failure. */
export const waitingAgentLooked = new Signal<{
  phase: WatchedPhase;
  result: 'over' | 'news' | 'answers' | 'silent';
  seconds: number;
}>();

/** A ready agent-manager was looked at. */
export const agentLooked = new Signal<{ result: string; seconds: number }>();

export const sweepEnded = new Signal<{ provider: ProviderType; result: 'completed' | 'failed' }>();

/** A server asked for its secret files. */
export const filesAsked = new Signal<{ result: 'given' | 'refused' | 'rate-limited' }>();

/** A stream of events began, or ended. */
export const streamChanged = new Signal<{ by: 1 | -1 }>();
