/** How the emulated world behaves. Times in milliseconds. */
export interface Settings {
  /** From the order until the provider says "running". */
  bootMs: number;
  /** From then until the proxy answers. */
  installMs: number;
  /** From then until the agent-manager is healthy. */
  startMs: number;
  /** From a deletion until "not found". */
  deleteMs: number;
  /** How long new droplets are missing from lists, as at the real DigitalOcean. */
  listLagMs: number;
  /** Requests of a token in any minute at DigitalOcean, besides its budget for the hour. */
  burstPerMinute: number;
  /** The same for lists of SSH keys. */
  keyListsPerMinute: number;
  /** How many times the providers' own budgets for the hour a project has, and gets back. */
  budgetFactor: number;
  /** Servers of a project. */
  serverLimit: number;
  /** Firewalls of a project. */
  firewallLimit: number;
}

export const DEFAULT_SETTINGS: Settings = {
  bootMs: 4_000,
  installMs: 5_000,
  startMs: 3_000,
  deleteMs: 300,
  listLagMs: 300,
  burstPerMinute: 250,
  keyListsPerMinute: 10,
  budgetFactor: 1,
  serverLimit: 1_000,
  firewallLimit: 50,
};
