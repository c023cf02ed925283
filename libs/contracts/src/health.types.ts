import type { ProviderType } from './provider.types';

/** Times are ISO 8601. */
export interface ProviderConditionView {
  type: ProviderType;
  /** `open`: the provider did not answer several requests in a row; now and then one is sent to see whether it does. */
  circuit: 'closed' | 'open';
  openSince: string | null;
  /** When the next request may be sent through an open circuit. */
  retryAt: string | null;
  /** What is left of the requests of an hour; null before the first one. `asOf`: when the provider last said. */
  budget: { limit: number; remaining: number; asOf: string | null } | null;
}

/** Of `GET /api/health/ready`. */
export interface HealthReadyView {
  status: 'ok';
  database: 'ok';
  /** Those that have a token. */
  providers: ProviderType[];
  providerDetails: ProviderConditionView[];
}
