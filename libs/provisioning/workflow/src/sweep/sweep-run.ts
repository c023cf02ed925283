import type { CloudProvider } from '@agent-controller/cloud-port';

/** One sweep of one provider, while it runs. */
export interface SweepRun {
  readonly id: string;
  readonly provider: CloudProvider;
  /** When its list was begun. */
  readonly startedAt: Date;
  /** Id of our key, seen in the project that was listed; null where nothing of ours needs that proof. */
  readonly sentinelId: string | null;
}
