/** Who calls, as the authentication found out. */
export interface Caller {
  /** Owns what it makes. */
  subject: string;
}

/** A request after authentication. */
export interface AuthenticatedRequest {
  caller: Caller;
}
