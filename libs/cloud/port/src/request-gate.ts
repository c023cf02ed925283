/**
 * What a request is for, by the method of `CloudProvider` that sends it; two of them are told by who calls. When a budget
 * runs low, the purposes stop one after another, so that deletion works longest:
 * - `look`: `look`, `get`, `listOwned`, the catalogue, and what takes away keys and firewalls.
 * - `create`: `create`, `ensureSentinel`, `ensureKey`, `ensureFirewall` and `listKeys`.
 * - `confirm`: what begins a proof that a server is gone, by `destroy` or `findByOwner`, after the provider took its deletion
 *   or did not find it. It stops before `delete`, so that servers which may run come first, and so that of what it begins
 *   the rest can be asked as well.
 * - `delete`: `destroy` and `findByOwner` otherwise, and `hasSentinel`.
 */
export type RequestPurpose = 'look' | 'create' | 'confirm' | 'delete';

/** One HTTP request that is about to be sent. */
export interface GatedRequest {
  purpose: RequestPurpose;
  /** Whether it orders a server, which will have to be looked at. */
  ordersServer?: boolean;
  /** Whether it lists the project's SSH keys, which some providers limit apart. */
  listsKeys?: boolean;
  /** Id of the one server that it is about: its errors say little about the provider. */
  serverId?: string;
  /** What is asked, for people who measure, such as `GET /servers/{id}`: the same for all ids. */
  operation?: string;
}

/** What became of a request. */
export interface RequestOutcome {
  /** HTTP status; absent when no answer came. */
  status?: number;
  headers?: Record<string, unknown>;
  /** Why no answer came, for people who measure. */
  silence?: 'timeout' | 'no-answer' | 'outcome-unknown';
}

/** A request that may be sent. */
export interface AdmittedRequest {
  /** To be told once, whatever became of the request. Never throws. */
  settle(outcome: RequestOutcome): Promise<void>;
}

/** How often a provider may be asked, by one project. */
export interface RequestLimits {
  /** Until the provider's answers say otherwise. It refills evenly. */
  perHour: number;
  /** What may be sent at once, and what comes back each minute: the sum stays below the limit of any minute. */
  perMinute?: RateOfMinute;
  /** The same for requests that list SSH keys. */
  keyListsPerMinute?: RateOfMinute;
}

export interface RateOfMinute {
  atOnce: number;
  refill: number;
}

/** Stands before every HTTP request of an adapter, and is told how it ended. */
export interface RequestGate {
  /**
   * @throws CloudError `rate-limited` when the budget is too low for this purpose, or the provider asked to wait;
   *   `unavailable` while the provider does not answer anybody. Both have `retryAfterMs`, and nothing was sent.
   */
  admit(request: GatedRequest): Promise<AdmittedRequest>;
}

/** Lets everything through: for an adapter on its own, such as in its tests. */
export const OPEN_GATE: RequestGate = {
  admit: async () => ({ settle: async () => undefined }),
};
