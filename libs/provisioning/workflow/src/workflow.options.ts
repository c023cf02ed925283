import type { ProviderType } from '@agent-controller/cloud-port';
import type { ContainerImages } from '@agent-controller/provisioning-bootstrap';
import type { TimedPhase } from './time-limit';

/** Of the comparison of what carries our label with the rows. */
export interface SweepOptions {
  intervalMs: number;
  /** What becomes of servers that no row knows. */
  orphanPolicy: 'report' | 'delete';
  /** How long an orphan must have been known before the policy `delete` destroys it. */
  orphanGraceMs: number;
  /** "Lost" is said only when "not found" was answered this long apart. */
  lostAfterMs: number;
  /** How often the projects' keys are listed, and how long one must have been unused before it is removed. */
  keyIntervalMs: number;
}

/** What the workflow needs to know of this installation's configuration. */
export interface WorkflowOptions {
  images: ContainerImages;
  /** Image of new servers, by the provider's own name for it. */
  serverImages: Record<ProviderType, string>;
  /** From the order to `ready`, not counting the time in which the provider could not be asked. */
  provisioningTimeoutMs: number;
  /** The same for each phase on the way. */
  phaseTimeoutMs: Record<TimedPhase, number>;
  /** Where servers reach this controller; without it they cannot report, and are looked at instead. */
  callbacks: { publicUrl: string; pins: string[] } | null;
  /** Whether the address that a request seems to come from is where it comes from, proxies or not. */
  knowsCallersAddress: boolean;
  /** Networks that controllers call servers from: firewalls let them through to the API, whatever a request allows. */
  controllerCidrs: readonly string[];
  /** Defaults for requests with Keycloak. */
  keycloak: { authServerUrl?: string; realm?: string };
  /** A connection string with session features (LISTEN, advisory locks), never a transaction pooler. */
  directDatabaseUrl: string;
  /** How long one request to a provider may last, from start to end. */
  providerTimeoutMs: number;
  /** How long a row stays with a controller that does not renew its lease. */
  leaseMs: number;
  /** How often a controller says that it lives; it counts as dead when it has missed three times. */
  heartbeatMs: number;
  /** Steps that this controller works on at a time. */
  jobConcurrency: number;
  /** Connections to agents that this process has open at a time. */
  agentConnections: number;
  /** How often a ready agent-manager is looked at. */
  healthCheckIntervalMs: number;
  sweep: SweepOptions;
  /** How long the secrets of a failed provisioning are kept for a retry. */
  failedSecretsRetentionMs: number;
  /** How long log and tombstone outlive a deleted provisioning. */
  tombstoneRetentionMs: number;
  quotas?: Quotas;
  /** How long a caller's idempotency key stands for the same request. */
  idempotencyRetentionMs: number;
  /** How long jobs that used up their attempts are kept for a person to look at. */
  failedJobRetentionMs: number;
  /** So many of the last events a living provisioning keeps. */
  eventsPerProvisioning: number;
}

/** Limits of what may exist at a time, what is being deleted included; null or absent: none. */
export interface Quotas {
  maxServers?: number | null;
  maxServersPerOwner?: number | null;
  /** Of each currency by itself. */
  maxMonthlyCost?: number | null;
  maxMonthlyCostPerOwner?: number | null;
}

export const WORKFLOW_OPTIONS = Symbol('WORKFLOW_OPTIONS');

/**
 * How long after a create was about to be sent its server may still be missing from the provider's answers: the request
 * itself may last its whole time, and what it made at its end may not show for as long again.
 */
export function visibilityGraceMs({ providerTimeoutMs }: Pick<WorkflowOptions, 'providerTimeoutMs'>): number {
  return 2 * providerTimeoutMs;
}
