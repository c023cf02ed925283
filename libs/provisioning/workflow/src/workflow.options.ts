import type { ProviderType } from '@agent-controller/cloud-port';
import type { ContainerImages } from '@agent-controller/provisioning-bootstrap';
import type { TimedPhase } from './time-limit';

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
  /** Defaults for requests with Keycloak. */
  keycloak: { authServerUrl?: string; realm?: string };
  /** A connection string with session features (LISTEN, advisory locks), never a transaction pooler. */
  directDatabaseUrl: string;
  /** Steps that this controller works on at a time. */
  jobConcurrency: number;
  /** Connections to agents that this process has open at a time. */
  agentConnections: number;
  /** How often a ready agent-manager is looked at. */
  healthCheckIntervalMs: number;
  /** How long the secrets of a failed provisioning are kept for a retry. */
  failedSecretsRetentionMs: number;
  /** How long log and tombstone outlive a deleted provisioning. */
  tombstoneRetentionMs: number;
  /** How long a caller's idempotency key stands for the same request. */
  idempotencyRetentionMs: number;
}

export const WORKFLOW_OPTIONS = Symbol('WORKFLOW_OPTIONS');
