import type { ProviderType } from './provider.types';

/** A server that carries this installation's label and belongs to no client. Times are ISO 8601. */
export interface OrphanView {
  providerType: ProviderType;
  serverId: string;
  /** `unknown`: nothing here knows its provisioning. `surplus`: its provisioning has another server. */
  kind: 'unknown' | 'surplus' | 'abandoned';
  name: string;
  serverType: string;
  location: string;
  /** creating, running, stopped, deleting or unknown. */
  status: string;
  publicIpv4: string | null;
  publicIpv6: string | null;
  privateIpv4: string | null;
  /** As its label says. */
  provisioningId: string;
  attempt: number;
  createdAt: string;
  ageSeconds: number;
  /** When a sweep first saw it without a client. */
  firstSeenAt: string;
  lastSeenAt: string;
  /** Of the server and its address, as billed; null when not known. */
  monthlyCost: number | null;
  currency: string | null;
  /** From when on it may be destroyed without being asked; null when it will not be. */
  destroyAfter: string | null;
}

/** Why the sweep destroys nothing on its own, until somebody ends the pause. */
export interface SweepPauseView {
  reason: 'database-changed' | 'restored-backup' | 'instance-changed';
  message: string;
  since: string;
}

/** How far the comparison with a provider is. */
export interface SweepView {
  providerType: ProviderType;
  lastStartedAt: string | null;
  lastCompletedAt: string | null;
  /** Servers of this installation, at the last full sweep. */
  servers: number | null;
  /** Why the last sweep did not come to its end. */
  lastError: string | null;
  paused: SweepPauseView | null;
}

export interface OrphanReportView {
  /** What becomes of orphans that nobody asks for. */
  policy: 'report' | 'delete';
  servers: OrphanView[];
  sweeps: SweepView[];
}

/** Without credentials the server can be seen and deleted; with `apiKey` and the key's pin it gets ready. */
export interface AdoptServerBody {
  /** Made from the server's name when absent. */
  name?: string;
  description?: string;
  apiKey?: string;
  /** SHA-256 of the server's public key, base64. */
  spkiSha256?: string;
  /** Instead of the pin, or beside it. */
  certificatePem?: string;
  agentWsPort?: number;
}
