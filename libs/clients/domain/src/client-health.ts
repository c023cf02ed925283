/**
 * `unreachable`: two looks in a row got no good answer. `credentials-refused`: it works, but not for our callers. `lost`:
 * the provider says that there is no such server; its agent-manager is not looked at.
 */
export const HEALTHS = ['healthy', 'unreachable', 'credentials-refused', 'lost'] as const;
export type Health = (typeof HEALTHS)[number];

/** The columns of a client whose agent-manager is not looked at. */
export const NO_HEALTH = { health: null, healthSince: null, healthCheckedAt: null, healthFailingSince: null };
