import type { Client } from '@agent-controller/clients';
import type { CloudProvider, OwnerTag } from '@agent-controller/cloud-port';
import type { NewEvent } from '../event-rows';
import type { Instance } from '../instance.entity';
import type { Phase } from '../phases';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import type { ProvisioningFailure } from '../provisioning.types';
import type { ServerReport } from '../reports/server-report';

/** What a step sees: the row as it was when the lease was taken. */
export interface StepContext {
  readonly reference: Readonly<ProvisioningReference>;
  readonly client: Readonly<Client>;
  readonly provider: CloudProvider;
  readonly instance: Readonly<Instance>;
  readonly now: Date;
  /** How long a server may be missing from the provider's answers after its order. */
  readonly visibilityGraceMs: number;
  /** Aborts when the lease is lost or the controller stops. */
  readonly signal: AbortSignal;
  /**
   * To be awaited right before a create is sent: saves that a server may exist, the key that shows in which project, and
   * the firewall that is to stand before it.
   * Throws when the lease is lost.
   * @returns to be asked when the create is really sent: false when that is so much later that another controller may
   *   have gone on meanwhile
   */
  announceCreate(sentinelId: string, firewallName?: string): Promise<() => boolean>;
}

export type Patch = Partial<ProvisioningReference>;
/** What to do about a server that stays as it is. */
export const RETRY_OR_DELETE =
  'Retry: a new server is made in its place. Or delete. The server is billed until one of both.';

export type Failure = Omit<ProvisioningFailure, 'phase' | 'at'>;

interface Changes {
  patch?: Patch;
  clientPatch?: Partial<Client>;
  events?: NewEvent[];
  /** What the server said of itself; taken only when it is newer than what is known by then. */
  report?: ServerReport;
}

/** A phase that begins. */
export type AdvanceResult = { kind: 'advance'; phase: Phase } & Changes;

/** What a step found out. Nothing of it is true before the runner has committed it. */
export type StepResult =
  | AdvanceResult
  | ({ kind: 'wait'; delayMs: number } & Changes)
  | ({ kind: 'fail'; failure: Failure } & Changes)
  | { kind: 'gone' };

/** One phase's work. Safe to run twice: it looks before it changes anything. */
export interface Step {
  run(context: StepContext): Promise<StepResult>;
}

export function advance(phase: Phase, changes: Changes = {}): AdvanceResult {
  return { kind: 'advance', phase, ...changes };
}

export function wait(delayMs: number, changes: Changes = {}): StepResult {
  return { kind: 'wait', delayMs, ...changes };
}

export function fail(failure: Failure, changes: Changes = {}): StepResult {
  return { kind: 'fail', failure, ...changes };
}

export function ownerTag({ instance, reference }: Pick<StepContext, 'instance' | 'reference'>): OwnerTag {
  return { instanceId: instance.instanceId, provisioningId: reference.id, attempt: reference.attempt };
}

/** Thrown by `announceCreate`: the lease is lost or the server is not wanted any more, so nothing may be ordered. */
export class LostRightToCreate extends Error {
  override readonly name = 'LostRightToCreate';
}
