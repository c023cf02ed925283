import type { ProviderType, RequestPurpose } from '@agent-controller/cloud-port';
import { Signal } from '@agent-controller/kernel';
import type { Phase } from './phases';

// What this process does, for its metrics. Times are in seconds. Values of labels are few: no ids.

/**
 * A step led a provisioning to another phase. `to` is `gone` after the last one; `sinceOrder` is how long it took from
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
  provider: ProviderType | undefined;
  result: 'done' | 'failed' | 'handed-back';
  lateSeconds: number;
  seconds: number;
}>();

/** The observer saw the waiting servers of a provider, or was refused to. */
export const serversObserved = new Signal<{ provider: ProviderType; result: 'seen' | 'failed'; servers: number }>();

/** A ready agent-manager was looked at. */
export const agentLooked = new Signal<{ result: string; seconds: number }>();

export const sweepEnded = new Signal<{ provider: ProviderType; result: 'completed' | 'failed' }>();

/** A server asked for its secret files. */
export const filesAsked = new Signal<{ result: 'given' | 'refused' | 'rate-limited' }>();

/** A stream of events began, or ended. */
export const streamChanged = new Signal<{ by: 1 | -1 }>();
