/** What callers may do, each including those before it: read; order and delete what is theirs; everything. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** Who calls, as the authentication found out. */
export interface Caller {
  /** Owns what it makes. */
  subject: string;
  role: Role;
}

/** A request after authentication. */
export interface AuthenticatedRequest {
  caller: Caller;
}

/** Whether a role includes another. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Whether a caller sees and touches what somebody owns. What it may not see does not exist for it: 404. */
export function maySee({ subject, role }: Caller, owner: string): boolean {
  return role === 'admin' || subject === owner;
}
